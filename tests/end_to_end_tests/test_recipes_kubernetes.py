"""The recipe for Kubernetes: its resources are sound, and what their containers run works together."""

from __future__ import annotations

import copy
import socket
from typing import TYPE_CHECKING, Any

import pytest
from dask.utils import parse_bytes

from search.loop.tally import is_counted
from search.loop.workers.cluster import KILLED_ABOVE
from tests.end_to_end_tests.kubernetes_schema import resource_faults
from tests.end_to_end_tests.pods import FOLDER, Pods, containers, pod_specs, resources
from tests.end_to_end_tests.project import PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from tests.conftest import CsvPair
    from tests.end_to_end_tests.project import Project

N_TRIALS = 4
FILES = sorted(path.name for path in FOLDER.glob("*.yaml"))
WORKERS = {"cluster.yaml": "deployment/search-workers", "dask_cluster.yaml": "daskcluster/search"}
SMALL = {
    "--nworkers 4": "--nworkers 1",
    "--trials 1000": f"--trials {N_TRIALS}",
}


@pytest.fixture
def port() -> int:
    """A port that is free."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.mark.parametrize("file", FILES)
def test_kubernetes_knows_every_field(file: str) -> None:
    """Each resource fits Kubernetes' own classes, field by field."""
    assert [fault for resource in resources(file).values() for fault in resource_faults(resource)] == []


def test_the_check_of_fields_finds_faults() -> None:
    """A misspelt field, a number for a text and a missing selector are each found."""
    resource = copy.deepcopy(resources("cluster.yaml")["deployment/search-workers"])
    container = resource["spec"]["template"]["spec"]["containers"][0]
    container["enw"] = container.pop("env")
    container["resources"]["limits"]["cpu"] = 4
    del resource["spec"]["selector"]

    assert len(resource_faults(resource)) == 3


def test_names_meet() -> None:
    """Selectors select the pods, the service is the host all others ask for, the claim is the one that is made."""
    found = resources("cluster.yaml") | resources("search.yaml")
    for name in ("deployment/search-scheduler", "deployment/search-workers"):
        spec = found[name]["spec"]
        assert spec["selector"]["matchLabels"] == spec["template"]["metadata"]["labels"]
    service = found["service/search-scheduler"]["spec"]
    scheduler = found["deployment/search-scheduler"]["spec"]["template"]
    assert service["selector"] == scheduler["metadata"]["labels"]
    assert service["ports"][0]["targetPort"] in [
        port["name"] for port in scheduler["spec"]["containers"][0]["ports"]
    ]
    volumes = found["job/search"]["spec"]["template"]["spec"]["volumes"]
    assert f"persistentvolumeclaim/{volumes[0]['persistentVolumeClaim']['claimName']}" in found
    for container in containers("cluster.yaml", "search.yaml"):
        text = " ".join(container["args"])
        assert "tcp://search-scheduler:8786" in text or container["name"] == "scheduler"


@pytest.mark.parametrize("file", WORKERS)
def test_workers_fit_their_pod(file: str) -> None:
    """Workers x threads are the pod's CPUs, their memory is in the pod's, and the search's limit below Dask's."""
    *_, (_, pod) = pod_specs(resources(file)[WORKERS[file]])
    (container,) = pod["containers"]
    asked, limits = container["resources"]["requests"], container["resources"]["limits"]
    workers, threads = int(_flag(container, "--nworkers")), int(_flag(container, "--nthreads"))
    memory = parse_bytes(_flag(container, "--memory-limit"))
    (search,) = [c for c in containers("search.yaml") if c["name"] == "search"]

    assert asked == limits
    assert workers * threads == int(limits["cpu"])
    assert workers * memory < parse_bytes(limits["memory"] + "B")
    assert float(_flag(search, "--memory-per-worker")) * 1e9 * KILLED_ABOVE < 0.95 * memory


def _flag(container: Mapping[str, Any], name: str) -> str:
    args: list[str] = container["args"]
    return args[args.index(name) + 1]


@pytest.mark.slow
@pytest.mark.parametrize("file", WORKERS)
def test_a_search_on_kubernetes(
    file: str, port: int, new_project: Callable[[str], Project], regression_csvs: CsvPair
) -> None:
    """The containers' commands, as processes here, make exactly the trials; all end when they are told to."""
    project = new_project("kubernetes")
    project.home.joinpath("train.csv").symlink_to(regression_csvs.train)
    project.home.joinpath("test.csv").symlink_to(regression_csvs.test)
    pods = _pods(project.home, port, regression_csvs.target)
    scheduler, worker = _scheduler_and_worker(file)
    wait, search = (_small(container) for container in containers("search.yaml"))
    try:
        pods.start(scheduler, "scheduler")
        pods.start(worker, "first")
        pods.start(worker, "second")
        assert pods.start(wait, "wait").wait(timeout=PATIENCE_SECONDS) == 0, pods.log("wait")
        code = pods.start(search, "search").wait(timeout=PATIENCE_SECONDS)
        rules = _memory_rules(port)
    finally:
        codes = pods.close()

    assert code == 0, pods.log("search")
    assert rules == [[False] * 3] * 2
    assert [is_counted(trial) for trial in project.study("rent").get_trials()] == [True] * N_TRIALS
    # A worker that was told to end says so in its code; the scheduler has ended in order.
    assert codes[-1] == 0


def _pods(home: Path, port: int, target: str) -> Pods:
    here = {"search-scheduler:8786": f"127.0.0.1:{port}", "8786": str(port), "0.0.0.0": "127.0.0.1"}  # noqa: S104
    here |= {":8787": "127.0.0.1:0", "money_room": target}
    return Pods(home, here, f"tcp://127.0.0.1:{port}")


def _scheduler_and_worker(file: str) -> Iterator[dict[str, Any]]:
    return (_small(container) for container in containers(file))


def _small(container: Mapping[str, Any]) -> dict[str, Any]:
    """The container with as many processes and trials as this machine carries."""
    words = "\0".join(container.get("args", []))
    for large, small in SMALL.items():
        words = words.replace(large.replace(" ", "\0"), small.replace(" ", "\0"))
    return {**container, "args": words.split("\0")}


def _memory_rules(port: int) -> list[list[object]]:
    """What each worker process makes of the recipe's variables."""
    from distributed import Client

    with Client(f"tcp://127.0.0.1:{port}") as client:
        names = [f"distributed.worker.memory.{rule}" for rule in ("target", "spill", "pause")]
        return [*client.run(lambda: [__import__("dask").config.get(name) for name in names]).values()]
