"""Submission files: the sample as a contract, exact writing, and every fault of a file found."""
