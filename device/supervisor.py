"""What the supervisor is told: ready, alive, and how things stand. Imports nothing of ours.

The protocol is sd_notify(3): a datagram of KEY=VALUE lines to the socket that systemd names in
NOTIFY_SOCKET. Nothing here waits, and nothing here raises: guarding does not depend on being
watched, and a sign of life that cannot be sent is one that systemd misses.
"""

from __future__ import annotations

import contextlib
import math
import socket

VARIABLE = "NOTIFY_SOCKET"  # of the environment
EVERY = 0.25  # s between signs of life; WatchdogSec= in the units is 2 s and more


class Supervisor:
    def __init__(self, address: str = "") -> None:
        """`address`: what NOTIFY_SOCKET says; empty: nobody watches."""
        self._socket: socket.socket | None = None
        self._next = -math.inf  # s, when the next sign of life is due
        self._ready = False
        if address:
            self._socket = socket.socket(
                socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
            )
            with contextlib.suppress(OSError):
                self._socket.connect("\0" + address[1:] if address[0] == "@" else address)

    def alive(self, now: float) -> None:
        """What this process is for has just been done, at `now` [s]; the first time: ready."""
        if now < self._next:
            return
        self._next = now + EVERY
        self._send("WATCHDOG=1" if self._ready else "READY=1")
        self._ready = True

    def status(self, words: str) -> None:
        """One line for `systemctl status`."""
        self._send("STATUS=" + " ".join(words.split()))

    def close(self) -> None:
        if self._socket:
            self._socket.close()
            self._socket = None

    def _send(self, line: str) -> None:
        if self._socket:
            with contextlib.suppress(OSError):
                self._socket.send(line.encode())


NOBODY = Supervisor()
