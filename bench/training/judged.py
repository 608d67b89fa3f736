"""A core with tables of its own in a folder of its own, judged by `rearguard evaluate`."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

DEVICE = Path(__file__).resolve().parents[2] / "device"


class JudgedCore:
    """Its folder holds a copy of the device."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def evaluate(self, recordings: Path, who: Sequence[str], *more: str) -> dict[str, Any]:
        """What `evaluate --json` writes of these subjects of a set."""
        out = self._folder / "figures.json"
        start = "import sys; from device.cli import main; sys.exit(main())"
        command = [sys.executable, "-c", start, "evaluate", str(recordings.resolve())]
        command += ["--subjects", ",".join(who), "--json", str(out), *more]
        subprocess.run(command, cwd=self._folder, check=True, stdout=subprocess.DEVNULL)
        found: dict[str, Any] = json.loads(out.read_text())
        return found


@contextmanager
def core_with(header: str, text: str) -> Iterator[JudgedCore]:
    """The core with `text` for its `header`."""
    with tempfile.TemporaryDirectory() as scratch:
        device = Path(scratch) / "device"
        shutil.copytree(DEVICE, device, ignore=shutil.ignore_patterns("_native*", "*.pyc"))
        (device / "core" / header).write_text(text)
        subprocess.run([sys.executable, "device/core/build.py"], cwd=scratch, check=True)
        yield JudgedCore(Path(scratch))
