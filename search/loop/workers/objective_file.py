"""The ground on its way to the workers: one file, read once by each."""

from __future__ import annotations

import hashlib
import os
import pickle
import socket
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from search.loop.ground import Ground


class ObjectiveMissingError(Exception):
    """The worker can neither see the shared file nor was it sent a copy."""


class ObjectiveFile(NamedTuple):
    """A pickled ground, the objective above all, that workers read once each.

    Attributes:
        path: Where the coordinator has it; a worker that does not see it looks in its own folder.
        digest: blake2b of its bytes: what is at the path may be another host's file of that name.
    """

    path: str
    digest: str

    def is_visible(self) -> bool:
        """Whether this host has the coordinator's file under the same path."""
        return self._content(Path(self.path)) is not None

    def load(self, copies: Path) -> Ground:
        """Reads it.

        Args:
            copies: Folder with the copy that a worker without a shared folder was sent.

        Raises:
            ObjectiveMissingError: If it is in neither place, whole.
        """
        path = Path(self.path)
        content = self._content(path) or self._content(copies / path.name)
        if content is None:
            raise ObjectiveMissingError(f"this worker has no {path.name}")
        ground: Ground = pickle.loads(content)  # noqa: S301 - the digest came from the coordinator
        return ground

    def _content(self, path: Path) -> bytes | None:
        try:
            content = path.read_bytes()
        except OSError:
            return None
        return content if _digest(content) == self.digest else None


@contextmanager
def objective_file(ground: Ground, folder: Path) -> Iterator[ObjectiveFile]:
    """Lays a ground down for workers to read, as long as the block runs."""
    # By value where it must be: an objective may come from a notebook.
    import cloudpickle

    content: bytes = cloudpickle.dumps(ground)
    digest = _digest(content)
    # Named by process too: another coordinator's file of the same content is taken away when that one ends.
    path = folder.resolve() / f"objective-{digest}-{socket.gethostname()}-{os.getpid()}.pickle"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    try:
        yield ObjectiveFile(str(path), digest)
    finally:
        path.unlink(missing_ok=True)


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()
