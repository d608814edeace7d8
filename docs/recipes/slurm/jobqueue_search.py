"""A search whose workers are Slurm jobs that dask-jobqueue submits: jobqueue_search.py JOBS FLAGS_OF_SEARCH_RUN ...

It runs where it is started, scheduler and coordinator in one process: on a node that may stay busy, not on a
login node. PBS: `PBSCluster` in place of `SLURMCluster`, with the same arguments.
"""

from __future__ import annotations

import sys

from dask_jobqueue import SLURMCluster

from search.run import main

RULES = [f"export DASK_DISTRIBUTED__WORKER__MEMORY__{rule}=False" for rule in ("TARGET", "SPILL", "PAUSE")]

if __name__ == "__main__":
    jobs, *flags = sys.argv[1:]
    # cores = processes: one thread a worker. Time and memory are those of one job.
    with SLURMCluster(
        cores=8, processes=8, memory="32GB", walltime="24:00:00", job_script_prologue=RULES
    ) as cluster:
        cluster.scale(jobs=int(jobs))
        # As long as the queue takes; `search.run` itself waits a minute.
        cluster.wait_for_workers(1)
        code = main([*flags, "--cluster", cluster.scheduler_address])
    raise SystemExit(code)
