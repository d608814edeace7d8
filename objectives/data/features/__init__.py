"""What becomes of a raw column: kinds of features, how they are found out, and what is learned in a fold."""
