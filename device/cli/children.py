"""Processes that the demo starts, and that never outlive it, however it ends."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from device.cli import Fault

_PATIENCE = 5.0  # s a process may take to end when asked
_TAIL = 3  # lines of a dead process's log that are told
_PR_SET_PDEATHSIG = 1  # prctl(2)
_LIBC = ctypes.CDLL(None, use_errno=True)


class _Child(NamedTuple):
    name: str
    process: subprocess.Popen[bytes]
    log: Path


class Children:
    """A context: at its end the last started is ended first, whole process groups at a time."""

    def __init__(self, folder: Path) -> None:
        """Logs go to `folder`/<name>.log."""
        self._folder = folder
        self._children: list[_Child] = []

    def __enter__(self) -> Children:
        return self

    def __exit__(self, *_: object) -> None:
        while self._children:
            self.end()

    def start(self, name: str, command: Sequence[str]) -> None:
        """Start one in a process group of its own: a Ctrl-C at the terminal is ours alone.

        Call it from the main thread while there is no other: the kernel ends the child with the
        thread that started it. Raises Fault when it cannot be started.
        """
        log = self._folder / f"{name}.log"
        try:
            with log.open("wb") as output:
                process = subprocess.Popen(  # noqa: S603  our own programs, no shell
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    preexec_fn=_end_with_parent,  # noqa: PLW1509  no thread yet, see above
                )
        except OSError as error:
            raise Fault(f"{command[0]} cannot be started ({error}); install it again") from error
        self._children.append(_Child(name, process, log))

    def check(self) -> None:
        """Raises Fault when one has ended by itself, with the end of what it said."""
        for name, process, log in self._children:
            if (code := process.poll()) is not None:
                lines = [line for line in log.read_text(errors="replace").splitlines() if line]
                said = " | ".join(lines[-_TAIL:]) or "it said nothing"
                raise Fault(f"the {name} has ended by itself (exit code {code}); it said: {said}")

    def end(self) -> None:
        """End the one started last."""
        _, process, _ = self._children.pop()
        for number in (signal.SIGTERM, signal.SIGKILL):
            _signal_group(process, number)
            try:
                process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                continue
            break
        _signal_group(process, signal.SIGKILL)  # what it may have started and left


def python(*arguments: str) -> list[str]:
    """The command line of one of our own modules."""
    return [sys.executable, "-m", *arguments]


def _end_with_parent() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return  # nobody of the group is left
