"""The virtual Pi from outside: its kernel, built once and kept, and its power switch."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
KERNEL = HERE / "kernel"
# Its time passes only while it has nothing to do: a busy host delays nothing in it, and no speed
# of any processor is in the times it takes.
OWN_TIME = "time-travel=inf-cpu"


class NoMachineError(Exception):
    """Why there is no virtual Pi, in one line with a remedy."""


def cache() -> Path:
    """Where this kernel is kept, by what it is made of; outside of the clone."""
    made_of = b"".join(name.read_bytes() for name in sorted(KERNEL.iterdir()))
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "rearguard" / f"virtual-pi-{zlib.crc32(made_of):08x}"


def kernel() -> Path:
    """The kernel; the first time it takes some minutes. Raises NoMachineError."""
    folder = cache()
    if not (folder / "linux").exists():
        sys.stderr.write(f"virtual Pi: building its kernel in {folder} (once, some minutes)\n")
        if subprocess.run([KERNEL / "build.sh", folder], check=False).returncode:
            raise NoMachineError(f"the kernel cannot be built: see above, then remove {folder}")
    return folder / "linux"


def end_like_ctrl_c() -> None:
    """SIGTERM, too, switches the power off before this process ends."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@contextlib.contextmanager
def powered(
    arguments: list[str], console: Path, memory: str = "512M"
) -> Iterator[subprocess.Popen[bytes]]:
    """A machine that runs; at the end its power is gone, whatever it was doing.

    `arguments` are the kernel's. Its console is kept in `console`.
    """
    with (
        tempfile.TemporaryDirectory(prefix="rearguard-virtual-pi-") as work,
        console.open("wb") as out,
    ):
        machine = subprocess.Popen(
            [kernel(), f"mem={memory}", f"uml_dir={work}",
             "umid=pi", "con=null", "con0=null,fd:1", "quiet", *arguments],
            stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
        )  # fmt: skip
        try:
            yield machine
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(machine.pid, signal.SIGKILL)
            machine.wait()
