"""Looks for what a model must not know: quick checks of two tables before anything is searched."""
