"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from device.cli import Fault


@contextmanager
def whole(path: Path, mode: str = "w") -> Iterator[IO[Any]]:
    """A file that takes its name only when the block has ended well. Raises Fault."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open(mode, encoding=None if "b" in mode else "utf-8") as file:
            yield file
        part.replace(path)
    except OSError as error:
        raise Fault(f"{path} can't be written ({error.strerror}); choose another place") from error
    finally:
        part.unlink(missing_ok=True)


def folder(path: Path) -> Path:
    """The folder, made when it is not there. Raises Fault."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Fault(f"{path} can't be a folder ({error.strerror}); choose another") from error
    return path
