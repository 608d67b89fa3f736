"""A thread of its own for each bus: one that stalls holds the loop no longer than it says.

A transfer that hangs cannot be called back, only waited for. The loop gives the thread its job,
waits a moment for the answer, and goes on without; the answer is taken at a later tick.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

T = TypeVar("T")


class Worker(Protocol[T]):
    def ask(self, job: Callable[[], T]) -> T | None:
        """What `job` returns, or None when it takes too long: then what it brought is the answer
        to a later question, and no other job is begun meanwhile. Raises what the job raises.
        """

    def post(self, job: Callable[[], None]) -> None:
        """Have it done; `job` never raises."""

    def close(self) -> None: ...


class Inline(Generic[T]):
    """No thread: for buses that cannot stall, the simulated ones."""

    def ask(self, job: Callable[[], T]) -> T | None:
        return job()

    def post(self, job: Callable[[], None]) -> None:
        job()

    def close(self) -> None:
        """Nothing is held."""


class BusThread(Generic[T]):
    """`patience`: s the asking one waits at most."""

    def __init__(self, name: str, patience: float) -> None:
        self._patience = patience
        self._jobs: queue.SimpleQueue[tuple[Callable[[], Any], bool] | None] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[tuple[T | None, Exception | None]] = queue.SimpleQueue()
        self._asked = False  # a job is under way
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def ask(self, job: Callable[[], T]) -> T | None:
        if not self._asked:
            self._jobs.put((job, True))
            self._asked = True
        try:
            answer, error = self._answers.get(timeout=self._patience)
        except queue.Empty:
            return None
        self._asked = False
        if error:
            raise error
        return answer

    def post(self, job: Callable[[], None]) -> None:
        self._jobs.put((job, False))

    def close(self, timeout: float = 1.0) -> None:
        """Ends the thread after the job under way; one that hangs is left behind."""
        self._jobs.put(None)
        self._thread.join(timeout)

    def _work(self) -> None:
        while (item := self._jobs.get()) is not None:
            job, asked = item
            answer, error = None, None
            try:
                answer = job()
            except Exception as raised:  # noqa: BLE001  it is raised where it was asked
                error = raised
            if asked:
                self._answers.put((answer, error))
