"""Figures that nobody sets: how much, how long, how many."""

from __future__ import annotations

SAMPLE_EXPERIMENT = "signate_mlit_rental_price"
AUTO = "auto"
"""In place of objectives' names: what suits the training rows."""
AUTO_OBJECTIVES = ("lightgbm", "extra_trees", "linear", "neural_network")
"""What that is on few rows, or with much time; else it is the first alone."""
AUTO_WITH_TIME = ("catboost",)
"""What is beside any of these with as much time, times the classes where there are several, if it is installed: its
trials are dear, and without a time each counts as much as one of the others."""
AUTO_OF_SEVERAL_CLASSES = ("neural_network",)
"""What is beside the first on more rows too, where there are more than two classes: a round is a tree for each then."""
AUTO_OF_SEVERAL_CLASSES_WITH_TIME = ("nearest",)
"""What is beside any of these where there are more than two classes and seconds count: cheap beside such rounds."""
AUTO_ROWS = 10_000
"""Training rows up to which models that err differently bring more to the blend than more trials of the best."""
AUTO_VALUES_A_SECOND = 3_500
"""Rows times features up to which they do with so many seconds of `--timeout`, unless there are more than two classes:
a trial of each takes less than half of two workers' time. With 300 s 1,050,000, as of 26,250 rows of 40 features."""
STARTUP_TRIALS = (5, 20)
"""Fewest and most random trials before the sampler models the space; a tenth of all in between."""
MOST_MODELLED_TRIALS = 1_000
"""Trials that the sampler's model of the space is built from, besides the best."""
PRUNER_STARTUP_TRIALS = 5
"""Complete trials before the first pruning."""
PRUNER_DOUBT = 0.04
"""Probability of ending among the best below which a trial is stopped."""
PRUNER_AIM = 0.1
"""Share of the complete trials that counts as the best."""
PRUNER_COSTLY = 2.0
"""Multiple of the usual cost from which a configuration has to be likelier to be good, in proportion."""
PRUNER_MOST_DOUBT = 0.3
"""The probability that is enough at any cost."""
PRUNER_WINDOW = 100
"""Latest complete trials that a forecast is made from."""
PRUNER_TRYOUT_SHARE = 0.05
"""Share of the tryouts on a few rows that whole evaluations follow, new bests apart."""
PRUNER_CLEARLY = 0.1
"""How far ahead of the best tryout a new best is, as a share of what the median is behind it."""
AUDIT_SHARE = 0.05
"""Share of the trials to be pruned that is finished all the same, to know how often pruning is wrong."""
AUDIT_SHARE_OF_TRYOUTS = 0.2
"""Of that share, where a trial was only tried out: finishing it costs a hundred times what it has cost."""
PRUNER_WARMUP_STEPS = 1
"""Reports of the first fold that come too early to judge a configuration."""
STABLE_AFTER_TRIALS = 30
"""Finished trials before which `--until-stable` ends nothing."""
PORTFOLIO_SHARE = 4
"""One in so many trials of a search may be one of the configurations that are good on most data."""
EQUAL_SHARE = 0.2
"""Share of the time that several objectives get in equal parts; the rest goes by what they bring to the blend."""
GIVEN_UP_AFTER = 3
"""Failures of an objective without a complete trial after which no more of its trials are asked for."""
PROMISE_ROWS = 2_000
"""Training rows, at most, that the blend is looked at on while the search runs."""
PROMISE_GROWTH = 1.15
"""Growth of the number of complete trials after which it is looked at again."""
RECENT_TRIALS = 100
"""Latest trials of a study that say how long another one takes."""
REDRAWN = 8
"""Other configurations that are looked at, at most, where the one suggested would not be through in time."""
LATE_SHARE = 0.8
"""Of the seconds that a running evaluation seems to need yet: if not even these are left, it is given up."""
LEAST_SECONDS = 0.1
"""What a trial costs at least, whatever its objective: that of asking for it and recording it."""
KEEP_PREDICTIONS = 20
"""Best trials whose out-of-fold and test predictions and models stay on disk."""
KEEP_OF_EACH_OBJECTIVE = 5
"""The same of each objective, however far behind the best: a blend gains by what errs differently."""
LIKENESS_OF_REPEATED = 0.999
"""Correlation of errors from which on a trial repeats a better one."""
KEEP_BYTES = 2_000_000_000
"""Of a study's predictions and models on disk; the worst trials' models go first, for they can be fitted again."""
BLEND_PARTS = 10
"""Most parts of a blend: each of them has to be kept, served and evaluated on fresh splits."""
BLEND_STEPS = 15
"""Draws with replacement that a blend is selected by, at most: the finest weight is one in so many."""
BLEND_BAGS = 10
"""Selections, each from a share of the parts, that a blend is the mean of."""
BLEND_BAG_SHARE = 0.75
"""That share: from half of them a blend of few parts misses in every other bag the one that nothing else is like."""
BLEND_ROWS = 20_000
"""Rows, at most, that a blend is selected on where the metric is a mean over rows; squares take all of them."""
BLEND_ROWS_ANY_METRIC = 5_000
"""The same for metrics that have to be called for each blend."""
BLEND_ROWS_OWN_METRIC = 2_000
"""The same for a user's own, of which nobody knows how slow it is."""
BLEND_SHORTLIST = 8
"""Parts that such a selection still looks at after the first two draws."""
MOST_FAILURES_IN_A_ROW = 5
MOST_WORKERS_KILLED = 2
"""Workers that may die under one trial before it is given up."""
QUEUED_PER_WORKER = 1
"""Trials that wait on a worker behind the one at work, so that it never waits for the sampler."""
LIMIT_GRACE_SECONDS = 10.0
"""After `--trial-timeout`, before a worker whose trial does not stop is killed."""
CONNECT_SECONDS = 15.0
"""How long a Dask scheduler may take to answer."""
FIRST_WORKER_SECONDS = 60.0
"""How long a given cluster may take to have a worker."""
KILLED_ABOVE = 1.25
"""Share of its memory at which a worker is killed: one that looks at its own memory fails the trial before."""
LAST_STEP_SECONDS = 1.0
"""What a worker that is no longer wanted may take to end by itself."""
LOST_WORKER_SECONDS = 30.0
"""After which a local worker that has not come back is given up, and another is started in its place."""
WORKER_SILENCE_SECONDS = 120.0
"""After which a local worker that says nothing is taken for dead."""
ENGINE_PATIENCE_SECONDS = 600.0
"""How long a search waits without any worker."""
WORKER_BYTES = 400_000_000
"""Memory of a worker without its data."""
COPIES_OF_DATA = 3
"""What a worker makes of its data at its worst, as a multiple of the arrays it is sent."""
WAIT_SECONDS = 0.5
"""Between two looks of a coordinator that has nothing to do while others still work."""
RECORD_SECONDS = 60.0
"""How long a finished search without `--timeout` waits for the rest of its record."""
REPORT_LEAST_SECONDS = 20.0
"""Left of `--timeout` where a search still makes its report; with less, `search.report` does."""
SHOWN_EVERY_SECONDS = 300.0
"""Between two updates of the dashboard's pictures while a search goes on."""
CLOSING_SECONDS = 4.5
"""Held back from `--timeout` for the submission and the record."""
CLOSING_SECONDS_A_CELL = 2e-5
"""More of it for each cell of a submission: two of 104,000 cells are written, read back and checked in two seconds."""
LEAVING_SECONDS = 2.0
"""Of these, for the summary and the end of the process."""
CONCLUSION_SHARE = 0.2
"""Of the seconds that a search took, what its conclusion may take at most: final fits, blend, fresh splits."""
CONCLUSION_EVALUATIONS = 64
"""Whole evaluations that a conclusion is forecast to cost, where the share allows it: a third for all final fits, which
are slower, the rest for most of the fresh folds of a usual blend and for models of all rows."""
CONCLUSION_FEWEST_EVALUATIONS = 5
"""Fewer than these are not worth keeping time back for: they are enough for some final fits. A blend of the trials as
they are costs next to nothing."""
CONCLUSION_LEAST_SECONDS = 3.0
"""Kept back for a conclusion however short the time."""
CONCLUSION_FREE_SECONDS = 5.0
"""What a conclusion may take however short the search, where there is no `--timeout`."""
FINAL_FIT_SHARE = 1 / 3
"""Of a conclusion's time, what final fits get at most before candidates are compared."""
FINAL_FIT_SLOWER = 2.0
"""How many times slower the configurations of a blend are fitted anew: twice brings seven tenths of what three times
does, for half the seconds."""
FINAL_FIT_PARTS = 4
"""How many of them."""
FINAL_FIT_SEEDS = 1
"""With how many other seeds after that."""
FINAL_FIT_OF_ALL_ROWS = 3
"""Models of all rows, which join those of the folds in each part of what was chosen: five would bring a quarter more
than three."""
JOINING_SHARE = 1 / 3
"""Of the time after final fits, what is kept at most for such models, and no more than the fewest fresh folds leave."""
STOPGAP_SECONDS = 3.0
"""Kept back before a trial has run to its end, to make a submission without any."""
STOPGAP_ROWS = 1_000
"""Rows that such a one is made from first; four times as many next, while there is time."""
STOPGAP_BYTES_A_SECOND = 20e6
"""Of training features prepared for a first fit; of more than there is time for, none is tried."""

COMPARED_ROWS = 50_000
"""Training rows, at most, that `search.splits` compares schemes on."""
COMPARED_TREES = 250
"""Trees of a fold, about, that it scores a scheme by; with several classes it stops at the fewest rounds below."""
COMPARED_ROUNDS = 30
UNLIKE_MARGIN = 0.05
"""By how much a scheme must be more like the test file than random folds to be recommended in their place."""

LEAST_GAP = 0.01
"""Share of the score below which a gap between two schemes is not worth a word, however small the noise."""

HONEST_LEVEL = 0.95
"""How often the interval of a honest score shall hold the score of the test file."""
HONEST_FEW_ROWS = 10.0
"""Over the root of the rows, by how much the interval is wider than draws from them say: without that it held 78 % and
90 % of the scores in two times a hundred studies of 400 to 1,600 rows (`python -m benchmarks.promotion`)."""
HONEST_DRAWS = 400
"""Draws of rows that such an interval is made of."""
HONEST_ROWS = 20_000
"""Rows of a draw, at most; the interval of more is narrowed by rule."""
FRESH_SPLITS = 3
"""Fresh splits that candidates are compared on, where there is time for all."""
FEWEST_FRESH_FOLDS = 5
"""Folds of fresh splits below which the study's own folds say more. Over 66 small studies, such as those of `python -m
benchmarks.promotion`, what was promoted was 4.67 % better than the default; 4.49 % with three folds here, and 4.85 %
without any fresh fold at all; worse than the default in six, seven and six."""
SIGNAL_DEVIATIONS = 2.0
"""Association of prediction and target in a fold, in standard deviations of chance, below which it is chance."""
CONCLUSION_CLOSING_SECONDS = 1.0
"""Held back from a conclusion for its intervals and its record."""
