"""The report: one page on a study that needs nothing but a browser."""
