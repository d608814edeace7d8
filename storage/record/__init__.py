"""A study's runs in MLflow: what each should hold, the writing of it, and holding them against the ledger."""
