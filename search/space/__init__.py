"""The user's space: read from a table, checked against the objective's own, and changed under a study."""
