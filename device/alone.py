"""One process at a time has the belt's pins and buses."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path


class TakenError(Exception):
    """Another process has the belt: one line with a remedy."""


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Two would fight for the pins, the ring and the socket. Raises TakenError, OSError."""
    held = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise TakenError(f"another device runs in {folder}: stop it first") from error
    finally:
        os.close(held)
