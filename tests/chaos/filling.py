"""A disk that fills up, again and again, while alerts come: a small one in memory, really full.

`python -m tests.chaos.filling FOLDER SHIM SEED COUNT` runs in a mount namespace of its own and
prints its ledger as JSON; `fill` starts it so, which needs no rights beyond the kernel's own.
"""

from __future__ import annotations

import errno
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from tests.chaos.ledger import Ledger, said_in
from tests.chaos.rig import Rig
from tests.conftest import ROOT

SIZE = 24 << 20  # bytes of the disk
PATIENCE = 60.0  # s without an arrival, after which what has not come is lost
IN_A_NAMESPACE = ("unshare", "--user", "--map-root-user", "--mount")


def fill(folder: Path, library: Path, seed: int, count: int, tick: Callable[[], None]) -> Ledger:
    """Fill the disk `count` times; where namespaces are refused, that is wrong, not passed over."""
    command = [*IN_A_NAMESPACE, sys.executable, "-m", "tests.chaos.filling"]
    words = [str(folder), str(library), str(seed), str(count)]
    child = subprocess.Popen([*command, *words], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    last = ""
    try:
        for line in child.stdout:
            last = line
            tick()
    finally:
        if child.poll() is None and not last.startswith("{"):
            child.send_signal(signal.SIGINT)  # broken off: it ends what it began
        child.wait()
    if child.returncode != 0:
        return Ledger(wrong=[f"no disk could be filled: {' '.join(IN_A_NAMESPACE)} was refused"])
    found = json.loads(last)
    return Ledger(**{**found, "faults": Counter(found["faults"])})


class Filling:
    """One belt on the small disk."""

    def __init__(self, rig: Rig, seed: int) -> None:
        self.rig, self.dice, self.ledger = rig, random.Random(seed), Ledger()
        self.meanwhile = 0  # alerts that came while the disk was full: the reserve has gone
        self.ballast = rig.folder / "data" / "ballast"

    def run(self, count: int) -> Ledger:
        self.rig.start_device(self.dice.randrange(1 << 30))
        self.rig.start_service()
        for _ in range(count):
            time.sleep(self.dice.uniform(0.1, 0.5))
            self.once()
            sys.stdout.write("filled\n")
            sys.stdout.flush()
        if not self.rig.end_device():
            self.ledger.wrong.append("the device did not end")
        self._start_anew()
        self.rig.arrived(PATIENCE)
        if not self.meanwhile:
            self.ledger.wrong.append("no alert came while the disk was full")
        self.ledger.settle(said_in(self.rig.folder), self.rig.came())
        return self.ledger

    def once(self) -> None:
        """To within some bytes, for a while; sometimes the service is killed meanwhile."""
        left = self.dice.choice((0, self.dice.randrange(4096), self.dice.randrange(200_000)))
        self._fill(left)
        self.ledger.faults["disk full"] += 1
        before = len(self.rig.came())
        time.sleep(self.dice.uniform(1.5, 3.0))
        self.meanwhile += len(self.rig.came()) - before
        if self.dice.random() < 0.4:
            self._start_anew()
            self.ledger.faults["service killed"] += 1
            time.sleep(self.dice.uniform(0.0, 1.0))
        self.ballast.unlink()
        if self.rig.service is None or self.rig.service.gone(0.0):
            self._start_anew()  # it would not start on a full disk; systemd tries again

    def _start_anew(self) -> None:
        self.rig.kill_service()
        self.rig.start_service()

    def _fill(self, left: int) -> None:
        block = bytes(1 << 16)
        with self.ballast.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(block)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
            file.truncate(max(0, file.tell() - left))


def main() -> None:
    folder, library, seed, count = sys.argv[1:]
    data = Path(folder) / "data"
    data.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "none", str(data)]
    subprocess.run(command, check=True)
    assert os.statvfs(data).f_blocks * os.statvfs(data).f_frsize <= SIZE
    rig = Rig(Path(folder), Path(library))
    try:
        ledger = Filling(rig, int(seed)).run(int(count))
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        rig.close()
    sys.stdout.write(json.dumps(vars(ledger)) + "\n")


if __name__ == "__main__":
    main()
