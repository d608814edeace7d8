"""Decides: what to run, when to stop, what to promote."""

import time

STARTED = time.monotonic()
"""When the command began; `--timeout` counts from here."""
