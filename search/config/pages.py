"""Figures of the pages that nobody sets."""

from __future__ import annotations

LOOK_SECONDS = 1.0
"""Between two looks at the ledger, however many people look at the page."""
MOST_SHOWN = 10
"""Best trials, running trials and submissions that a study's card lists."""
CHART_DOTS = 400
"""Scores that a convergence chart shows as dots; the line of the best has all its steps."""
PAGE_THREADS = 4
"""Requests that each of Optuna's and MLflow's pages answers at once; the others wait."""
NICENESS = 10
"""How far the pages step back for a search. Linux heeds it within a session; between two terminals it may not."""
PAGE_SHARE = 0.04
"""Of the machine's cores, what the pages may use in the long run while a search is at work on it."""
PAGE_CREDIT_SECONDS = 4.0
"""Of processor time, which they may use at once: a few large pages."""
PAGE_DEBT_SECONDS = 1.0
"""Of processor time: what one dear page can cost the next visitors at most."""
PAGE_GUESS_SECONDS = 0.01
"""Of processor time: what a request is taken to cost while it is under way."""
PAGE_WAIT_SECONDS = 30.0
"""How long a request waits for its turn, before it is told to come back."""
BODY_BYTES = 256_000
"""Of a request, where nothing may be changed: the longest question that MLflow's pages ask has a few thousand."""
WRITABLE_BODY_BYTES = 32_000_000
HEAD_BYTES = 32_000
"""Of a request's line and headers."""
HEAD_SECONDS = 10.0
"""How long a client may take to send these."""
BODY_SECONDS = 20.0
"""How long it may take to send the body."""
READER_SECONDS = 60.0
"""How long it may take to read the next piece of an answer."""
MOST_CONNECTIONS = 500
"""At once; further ones are told to come back."""
GOODBYE_SECONDS = 2
"""How long answers under way are waited for at the end."""
LEAVING_MOMENT_SECONDS = 1.0
"""And after that, pages that are still being made."""
