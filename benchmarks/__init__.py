"""Measurements to repeat: `python -m benchmarks.<name>` prints figures, and ratios that outlive a machine."""
