"""What a result may depend on besides data, split, seed and parameters."""

from __future__ import annotations

import hashlib
import platform
from importlib import metadata
from pathlib import Path

PACKAGES = (
    "catboost",
    "lightgbm",
    "numpy",
    "pandas",
    "scikit-learn",
    "scipy",
    "tabular-search",
    "xgboost",
    "xgboost-cpu",
)
"""Only those that are installed are told."""
_CPU_INFO = Path("/proc/cpuinfo")


def environment(threads: int) -> dict[str, str | int]:
    """Versions, code, machine and threads, by plain names.

    Args:
        threads: Those of one evaluation.
    """
    return {
        "python": platform.python_version(),
        **_versions(),
        "objectives": code_hash(Path(__file__).parent),
        "system": f"{platform.system()} {platform.machine()}",
        "cpu": _cpu(),
        "threads": threads,
    }


def code_hash(folder: Path) -> str:
    """Hash of a package's source: the version says nothing of a change between two releases."""
    digest = hashlib.blake2b(digest_size=6)
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _versions() -> dict[str, str]:
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return versions


def _cpu() -> str:
    """The processor's name: libraries choose their instructions by it."""
    try:
        lines = _CPU_INFO.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or "unknown")
