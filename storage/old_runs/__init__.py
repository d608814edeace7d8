"""Runs of an MLflow file store, brought into the record."""
