"""Tables in, matrices out: reading, typing, folds, metrics and the built-in sample."""
