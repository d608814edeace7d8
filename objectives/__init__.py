"""Computes: one configuration in, one cross-validated result out."""
