"""What is known of a study, of a trial, and of two trials beside each other: for commands and for notebooks."""
