"""Runs the containers of Kubernetes resources as processes on this machine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tests.end_to_end_tests.project import clean_environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "recipes" / "kubernetes"


def resources(file: str) -> dict[str, dict[str, Any]]:
    """The resources of a file by name and kind, as in `kubectl`: `deployment/search-workers`."""
    found = yaml.safe_load_all((FOLDER / file).read_text(encoding="utf-8"))
    return {f"{resource['kind'].lower()}/{resource['metadata']['name']}": resource for resource in found}


def pod_specs(resource: Mapping[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    """The pods a resource makes: how many, and of what."""
    spec = resource.get("spec", {})
    if resource["kind"] == "DaskCluster":
        yield 1, spec["scheduler"]["spec"]
        yield spec["worker"]["replicas"], spec["worker"]["spec"]
    elif "template" in spec:
        yield spec.get("replicas", 1), spec["template"]["spec"]


def containers(*files: str) -> list[dict[str, Any]]:
    """All containers of files, those that run first included."""
    specs = (spec for file in files for found in resources(file).values() for _, spec in pod_specs(found))
    return [c for spec in specs for c in [*spec.get("initContainers", []), *spec["containers"]]]


class Pods:
    """Containers as processes: their command, arguments and environment; nothing isolates them.

    Args:
        home: What stands for the volume.
        replacements: Text that means something else on this machine, such as a host's name.
        scheduler: What the operator tells workers as the scheduler's address.
    """

    def __init__(self, home: Path, replacements: Mapping[str, str], scheduler: str) -> None:
        self._home, self._replacements, self._scheduler = home, replacements, scheduler
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self, container: Mapping[str, Any], name: str) -> subprocess.Popen[bytes]:
        """Starts a container."""
        environment = {"DASK_SCHEDULER_ADDRESS": self._scheduler, "DASK_WORKER_NAME": name}
        environment |= {entry["name"]: entry["value"] for entry in container.get("env", ())}
        words = [
            self._here(word, environment) for word in [*container["command"], *container.get("args", ())]
        ]
        bin_folder = Path(sys.executable).parent
        with (self._home / f"{name}.log").open("wb") as output:
            process = subprocess.Popen(
                [bin_folder / words[0], *words[1:]],
                cwd=self._home,
                env=clean_environment({"PYTHONPATH": str(ROOT), **environment}),
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._running.append(process)
        return process

    def log(self, name: str) -> str:
        """What a container has said."""
        return (self._home / f"{name}.log").read_text(errors="replace")

    def close(self) -> list[int]:
        """Ends all as Kubernetes does, last first; returns their exit codes in that order."""
        for process in reversed(self._running):
            process.terminate()
        return [process.wait(timeout=60) for process in reversed(self._running)]

    def _here(self, word: str, environment: Mapping[str, str]) -> str:
        # As Kubernetes expands variables.
        for name, value in environment.items():
            word = word.replace(f"$({name})", value)
        for there, here in self._replacements.items():
            word = word.replace(there, here)
        return word
