"""The loop: ask, evaluate, report, prune, tell."""
