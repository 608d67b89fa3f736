"""A walk over a recording set: every trial through some work, a subject file to a process."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any, Generic, TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from device.archive import Archive
from device.cli import Fault
from device.recordings import Entry, Malformed, Recording, RecordingSet

T = TypeVar("T")
PLAIN_S = 10.0  # s between lines of progress where there is no terminal

_stop: Event | None = None  # in a worker: set when the walk has been given up


def open_set(folder: Path) -> RecordingSet:
    """Raises Fault for what is no set."""
    try:
        return RecordingSet(folder)
    except Malformed as malformed:
        raise Fault(str(malformed)) from malformed


class Walk(Generic[T]):
    """Iterate it once: what `work` made of each trial, in the order of the index, file by file.

    `work` is called in other processes and so is picklable, as is what it returns. The first
    Malformed ends the walk as a Fault; with `keep_going` each is one line on standard error, and
    the walk ends in a Fault only when all else is done (`settle`).
    """

    def __init__(
        self, recordings: RecordingSet, work: Callable[[Recording], T], *, keep_going: bool = False
    ) -> None:
        self._recordings, self._work, self._keep_going = recordings, work, keep_going
        self._faults = 0

    def __iter__(self) -> Iterator[T]:
        self._report([str(fault) for fault in self._recordings.faults])
        files = self._recordings.files
        tasks = [
            (self._recordings.folder / name, entries, self._work, self._keep_going)
            for name, entries in files.items()
        ]
        workers = min(len(tasks), len(os.sched_getaffinity(0)))
        total = sum(entry.n for entry in self._recordings.entries)
        with progress(self._recordings.name, total) as advance:
            done = map(_file, tasks) if workers < 2 else _in_processes(tasks, workers)
            for (_, entries, _, _), (results, faults) in zip(tasks, done, strict=True):
                yield from results
                self._report(faults)
                advance(sum(entry.n for entry in entries))

    def settle(self) -> None:
        """Raises Fault when there was a fault on the way: exit code 2 in the end."""
        if self._faults:
            raise Fault(f"{self._faults} faults as told above; all the rest is done")

    def _report(self, faults: Sequence[str]) -> None:
        for fault in faults:
            if not self._keep_going:
                raise Fault(fault)
            sys.stderr.write(f"rearguard: {fault}\n")
            self._faults += 1


_Task = tuple[Path, list[Entry], Callable[[Recording], Any], bool]
_Done = tuple[list[Any], list[str]]


def _file(task: _Task) -> _Done:
    """Every trial of one file; the faults, of which there is at most one unless told to go on."""
    path, entries, work, keep_going = task
    results: list[Any] = []
    try:
        archive = Archive(path)
    except Malformed as fault:
        more = f" and {len(entries) - 1} more" if len(entries) > 1 else ""
        return [], [f"{fault} (trial {entries[0].trial}{more})"]
    faults: list[str] = []
    for entry in entries:
        if (_stop and _stop.is_set()) or (faults and not keep_going):
            break
        try:
            results.append(work(archive.trial(entry)))
        except Malformed as fault:
            faults.append(str(fault))
    return results, faults


def _in_processes(tasks: list[_Task], workers: int) -> Iterator[_Done]:
    """`_file` over tasks, results in the order of the tasks. Ctrl-C is for this process alone."""
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    pool = ProcessPoolExecutor(workers, context, _started, (stop,))
    try:
        held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            futures = [pool.submit(_file, task) for task in tasks]
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, held)
        for future in futures:
            yield future.result()
    except BrokenProcessPool as error:
        raise Fault("a worker was ended from outside; free some memory and try again") from error
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)


def _started(stop: Event) -> None:
    global _stop  # noqa: PLW0603  a worker has no other way to be told
    _stop = stop


@contextmanager
def progress(what: str, total: int, of: str = "samples") -> Iterator[Callable[[int], None]]:
    """A bar of what is done on a terminal, else a line now and then, on standard error."""
    console = Console(stderr=True)
    if console.is_terminal:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn(f"{{task.fields[rate]}} {of}/s"),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=console, transient=True) as bar:
            task = bar.add_task(what, total=total, rate="-")

            def advance(count: int) -> None:
                bar.advance(task, count)
                speed = bar.tasks[0].speed
                bar.update(task, rate=f"{speed:,.0f}" if speed else "-")

            yield advance
        return
    done, told = 0, time.monotonic()

    def say(count: int) -> None:
        nonlocal done, told
        done += count
        if time.monotonic() - told >= PLAIN_S:
            told = time.monotonic()
            sys.stderr.write(f"{what}: {done:,} of {total:,} {of}\n")

    yield say
