"""Starts services and devices at once: everything is imported beforehand, then forked.

`python -m tests.chaos.zygote`: a line on standard input is an order, answered by a line with the
child's process id. What is forked runs the same `main` that `python -m service` runs, as a process
of its own; a start then takes a tenth of the time, so that more of them can be killed.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable

import service.__main__ as service
from tests.chaos import device


def main() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the dead
    for line in sys.stdin:
        what, *arguments = line.split()
        child = os.fork()
        if child == 0:
            _become({"service": _service, "device": device.run}[what], arguments)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()


def _service(config: str) -> int:
    return service.main(["--config", config])


def _become(act: Callable[..., object], arguments: list[str]) -> None:
    """The child: its words go to standard error, its end is its own."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(2, 1)
    code = 1
    try:
        code = int(act(*arguments) or 0)
    except BaseException:  # noqa: BLE001  whatever it is, the zygote must not go on in the child
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
