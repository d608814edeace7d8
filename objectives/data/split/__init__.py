"""How rows are split into folds: schemes, the columns they need, and how like the test set they are."""
