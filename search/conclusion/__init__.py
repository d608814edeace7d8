"""After the last trial: what the study comes to, honestly, and which of it is promoted."""
