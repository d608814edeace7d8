"""Opens the engine on worker processes, and all that it stands on."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from search.loop.workers.cluster import ClusterAddress, local_cluster, quiet_dask
from search.loop.workers.engine import DaskEngine
from search.loop.workers.line import DaskLine
from search.loop.workers.objective_file import objective_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from search.loop.engine import Engine, Limits, ModelsFrom
    from search.loop.ground import Ground


@contextmanager
def dask_engine(
    ground: Ground,
    workers: int,
    folder: Path,
    *,
    cluster: str | None,
    limits: Limits,
    models_from: ModelsFrom = lambda _: None,
) -> Iterator[Engine]:
    """Opens the engine on a cluster of its own, or on a given one; arguments as for `open_engine`.

    Raises:
        ClusterError: If the cluster does not answer or is not fit.
    """
    with ExitStack() as stack:
        file = stack.enter_context(objective_file(ground, folder))
        quiet_dask()
        address = ClusterAddress(cluster) if cluster else stack.enter_context(local_cluster(workers, limits))
        line = DaskLine(address, file)
        engine = DaskEngine(line, file, limits, 0 if cluster else workers, models_from)
        stack.callback(engine.close)
        yield engine
