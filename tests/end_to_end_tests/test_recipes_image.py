"""The recipe for a container image, as far as it goes without building one."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
RECIPE = (ROOT / "docs" / "recipes" / "Containerfile").read_text(encoding="utf-8")


def test_the_image_has_all_that_an_installation_needs(tmp_path: Path) -> None:
    """From the files it copies, its own command builds the package whole, and nothing else is fetched."""
    for sources, target in re.findall(r"^COPY (.+) (\S+)$", RECIPE, re.MULTILINE):
        for source in sources.split():
            copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copy
            copy(ROOT / source, tmp_path / target)
    *_, install = re.findall(r"^RUN pip install --no-cache-dir (.+) \.$", RECIPE, re.MULTILINE)

    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", *install.split(), "--wheel-dir", "wheels", "."],
        cwd=tmp_path,
        check=True,
    )

    (wheel,) = tmp_path.glob("wheels/*.whl")
    modules = {name for name in zipfile.ZipFile(wheel).namelist() if name.endswith(".py")}
    packages = ("search", "objectives", "storage")
    assert modules == {
        str(p.relative_to(ROOT)) for package in packages for p in (ROOT / package).rglob("*.py")
    }
