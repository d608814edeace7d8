"""Who works on a study: one coordinator on SQLite, any number on PostgreSQL."""
