"""The door: the listening socket, and how many and how slow the guests may be.

Guests are counted before TLS and HTTP know of them, so that a crowd of half-open connections costs
neither memory nor the place of others; uvicorn itself bounds neither, and waits for ever for a
request that comes in drops.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections import Counter
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

log = logging.getLogger(__name__)

MAX_GUESTS = 64
MAX_OF_ONE = 40  # of one address, so that no single one can shut out the others
PATIENCE = 5.0  # s for a whole request to come, or for what was sent to be taken


class Door(socket.socket):
    """A listening socket whose `accept` shuts out who is too many."""

    def __init__(self, family: int) -> None:
        super().__init__(family, socket.SOCK_STREAM)
        self._inside: Counter[str] = Counter()

    @property
    def inside(self) -> int:
        """How many guests there are."""
        return self._inside.total()

    def accept(self) -> tuple[socket.socket, Any]:
        """The next guest. Raises BlockingIOError when none waits, ConnectionAbortedError for one
        that was shut out: asyncio goes on to the next at once.
        """
        connection, address = super().accept()
        peer = str(address[0])
        if self.inside >= MAX_GUESTS or self._inside[peer] >= MAX_OF_ONE:
            connection.close()
            log.warning("too many connections: one of %s shut out", peer)
            raise ConnectionAbortedError
        self._inside[peer] += 1

        def gone() -> None:
            self._inside[peer] -= 1
            self._inside += Counter()  # keeps what is above nought

        return _Guest(self.family, connection.detach(), gone), address


class _Guest(socket.socket):
    """A connection that says when it is closed."""

    def __init__(self, family: int, descriptor: int, gone: Callable[[], None]) -> None:
        super().__init__(family, socket.SOCK_STREAM, fileno=descriptor)
        self._gone: Callable[[], None] | None = gone

    def close(self) -> None:
        super().close()
        if self._gone is not None:
            self._gone()
            self._gone = None


class Patient(H11Protocol):
    """uvicorn's HTTP/1.1, for guests who do not dawdle."""

    _reading: asyncio.TimerHandle | None = None
    _writing: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._expect()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._expect()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._writing = self.loop.call_later(PATIENCE, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop("_writing")

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop("_reading")
        self._stop("_writing")
        super().connection_lost(exc)

    def _expect(self) -> None:
        """A request is to come, or the rest of one: within PATIENCE, in however many drops."""
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete and not cycle.more_body:
            self._stop("_reading")
        elif self._reading is None:
            self._reading = self.loop.call_later(PATIENCE, self.transport.abort)

    def _stop(self, timer: str) -> None:
        if (handle := getattr(self, timer)) is not None:
            handle.cancel()
            setattr(self, timer, None)
