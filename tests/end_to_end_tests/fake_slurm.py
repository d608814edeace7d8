"""Stands in for Slurm on one machine: its commands are real files on the path, its jobs real processes."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.end_to_end_tests.project import PATIENCE_SECONDS, clean_environment
from tests.search_tests.bodies import wait_for

ROOT = Path(__file__).parents[2]
RECIPES = ROOT / "docs" / "recipes"
CORES = 1
"""Of each of its nodes, whatever a job asks for."""
# The shell outside knows the exit code when the one inside, the job's, has been killed.
AS_A_JOB = 'bash "$@" & echo $! > "$0/pid"; wait $!; echo $? > "$0/code"'


@dataclass(frozen=True)
class FakeSlurm:
    """A queue that starts each job at once.

    Attributes:
        folder: For the commands, and a folder for each job.
    """

    folder: Path

    def install(self) -> FakeSlurm:
        """Writes the commands."""
        (self.folder / "bin").mkdir(parents=True)
        for name in ("sbatch", "scancel", "srun"):
            command = self.folder / "bin" / name
            command.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{__file__}" {name} "$@"\n')
            command.chmod(0o755)
        return self

    @property
    def environment(self) -> dict[str, str]:
        """That of a user who has activated the project's environment."""
        path = os.pathsep.join(
            [str(self.folder / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]]
        )
        return clean_environment({"PATH": path, "PYTHONPATH": str(ROOT), "FAKE_SLURM": str(self.folder)})

    def run(self, *command: str | Path, home: Path) -> str:
        """Runs a user's command; returns what it prints."""
        done = subprocess.run(
            [*map(str, command)], cwd=home, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def exit_code(self, task: str) -> int:
        """Waits for a task to end."""
        own = self.folder / "tasks" / task
        leader = int((own / "session").read_text())
        wait_for(lambda: not psutil.pid_exists(leader), PATIENCE_SECONDS)
        return int((own / "code").read_text())

    def terminate(self, task: str) -> None:
        """Sends what `--signal=B:TERM` does, to the batch shell alone."""
        os.kill(int((self.folder / "tasks" / task / "pid").read_text()), signal.SIGTERM)

    def task_names(self) -> list[str]:
        """All tasks ever started: `job` or `job_index`."""
        return sorted(path.name for path in (self.folder / "tasks").iterdir())

    def left_behind(self) -> list[str]:
        """Command lines of the tasks' processes that live."""
        sessions = {int((self.folder / "tasks" / task / "session").read_text()) for task in self.task_names()}
        return [
            " ".join(process.cmdline()) for process in psutil.process_iter() if _session(process) in sessions
        ]

    def close(self) -> None:
        """Kills what is left."""
        sessions = {int(path.read_text()) for path in self.folder.glob("tasks/*/session")}
        for process in psutil.process_iter():
            if _session(process) in sessions:
                process.kill()


def _session(process: psutil.Process) -> int | None:
    try:
        return None if process.status() == psutil.STATUS_ZOMBIE else os.getsid(process.pid)
    except (OSError, psutil.NoSuchProcess):
        return None


def _options() -> argparse.ArgumentParser:
    # Only options that Slurm has, by the names it knows: a misspelt one fails here as there.
    options = argparse.ArgumentParser(prog="sbatch", allow_abbrev=False)
    options.add_argument("--parsable", action="store_true")
    for names in (
        "-a --array",
        "-d --dependency",
        "-J --job-name",
        "-o --output",
        "-e --error",
        "-n --ntasks",
    ):
        options.add_argument(*names.split())
    for names in ("-c --cpus-per-task", "--mem", "-t --time", "--signal"):
        options.add_argument(*names.split())
    options.add_argument("script", nargs="?")
    options.add_argument("arguments", nargs=argparse.REMAINDER)
    return options


def sbatch(arguments: list[str]) -> None:
    """Starts a job, once for each index of its array."""
    wanted = _options().parse_args(arguments)
    lines = Path(wanted.script).read_text(encoding="utf-8").splitlines()
    directives = [line.removeprefix("#SBATCH ").strip() for line in lines if line.startswith("#SBATCH ")]
    asked = _options().parse_args([word for line in directives for word in line.split()])
    job = _next_job()
    indices = range(1, int(wanted.array.removeprefix("1-")) + 1) if wanted.array else (None,)
    for index in indices:
        _start(job, index, wanted, asked)
    print(job if wanted.parsable else f"Submitted batch job {job}")


def _next_job() -> int:
    jobs = Path(os.environ["FAKE_SLURM"]) / "jobs"
    jobs.mkdir(exist_ok=True)
    job = len([*jobs.iterdir()]) + 1
    (jobs / str(job)).mkdir()
    return job


def _start(job: int, index: int | None, wanted: argparse.Namespace, asked: argparse.Namespace) -> None:
    own = Path(os.environ["FAKE_SLURM"]) / "tasks" / (f"{job}_{index}" if index else str(job))
    own.mkdir(parents=True)
    # Slurm runs a copy of its own: a script that looks for files beside itself does not find them.
    script = shutil.copy(wanted.script, own / "slurm_script")
    assert asked.mem.endswith("G")
    environment = {
        "SLURM_JOB_ID": str(job if index is None else job * 100 + index),
        "SLURM_SUBMIT_DIR": str(Path.cwd()),
        "SLURM_CPUS_PER_TASK": str(min(int(asked.cpus_per_task), CORES)),
        "SLURM_MEM_PER_NODE": str(int(asked.mem[:-1]) * 1024),
    }
    if index is not None:
        environment |= {"SLURM_ARRAY_JOB_ID": str(job), "SLURM_ARRAY_TASK_ID": str(index)}
    with (own / "output").open("wb") as output:
        process = subprocess.Popen(
            ["sh", "-c", AS_A_JOB, own, script, *wanted.arguments],
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    (own / "session").write_text(str(process.pid))


def srun(arguments: list[str]) -> None:
    """Runs a command as the job's only task."""
    os.execvp(arguments[0], arguments)  # noqa: S606 - the job's own command


def scancel(arguments: list[str]) -> None:
    """Ends jobs by number, as dask-jobqueue does. By name, there is nothing to end: no job waits here."""
    jobs = [word for word in arguments if not word.startswith("-")]
    for path in Path(os.environ["FAKE_SLURM"]).glob("tasks/*/session"):
        if path.parent.name in jobs:
            os.killpg(int(path.read_text()), signal.SIGKILL)


if __name__ == "__main__":
    {"sbatch": sbatch, "srun": srun, "scancel": scancel}[sys.argv[1]](sys.argv[2:])
