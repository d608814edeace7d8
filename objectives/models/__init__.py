"""The models a search can tune, one module each."""
