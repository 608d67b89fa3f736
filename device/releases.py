"""Releases of this program on a belt, beside each other: which one runs, and going to another.

Under one folder lie `releases/NAME`, a virtual environment each, and `current`, a link to one of
them. A release is whole when it has its mark; what has none is what an attempt in vain left.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

WHOLE = ".whole"  # deploy/install.sh makes the same marks and names


class ReleaseError(Exception):
    """What cannot be installed or gone to, and a remedy: one line."""


class Releases:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._link = folder / "current"

    @property
    def current(self) -> Path:
        """The release that runs. Raises ReleaseError."""
        if not self._link.is_symlink():
            raise ReleaseError(f"no release runs from {self._link}: deploy/install.sh first")
        return self._folder / "releases" / self._link.readlink().name

    def place(self, wheel: Path) -> Path:
        """Where a wheel's release belongs: by version and content. Raises ReleaseError."""
        named = re.fullmatch(r"rearguard-([0-9][\w.+!]*)-.*\.whl", wheel.name)
        if not named or not wheel.is_file():
            raise ReleaseError(f"{wheel} is no release: name a file rearguard-VERSION-….whl")
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()[:8]
        return self._folder / "releases" / f"{named[1]}-{digest}"

    def install(self, place: Path, make: Callable[[Path], None]) -> None:
        """`make` the release at `place`, unless it is whole already."""
        if (place / WHOLE).exists():
            return
        shutil.rmtree(place, ignore_errors=True)
        make(place)
        os.sync()  # the mark must not be on the card before what it marks
        (place / WHOLE).touch()

    def go_to(self, place: Path) -> None:
        """From now on this one runs: at once, or, when the power goes, not at all."""
        fresh = self._link.with_name("current.new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(Path("releases") / place.name)
        fresh.replace(self._link)
        os.sync()

    def prune(self, keep: set[Path]) -> None:
        """Every other release goes."""
        for place in (self._folder / "releases").iterdir():
            if place not in keep:
                shutil.rmtree(place, ignore_errors=True)
