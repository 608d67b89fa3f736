"""Small JSON files, brought to disk by a thread: whole or not at all, the newest of each wins."""

from __future__ import annotations

import json
import os
import shutil
import threading
from pathlib import Path
from typing import Any

RETRY_S = 1.0  # s between tries while the disk refuses


class Scribe:
    """`put` and `drop` never block and never raise; `fault` says what the disk refuses."""

    def __init__(self) -> None:
        self.fault = ""  # one line
        self._waiting: dict[Path, dict[str, Any] | None] = {}
        self._lock = threading.Lock()
        self._news = threading.Event()
        self._ending = False
        self._thread = threading.Thread(target=self._work, name="scribe", daemon=True)
        self._thread.start()

    def put(self, path: Path, value: dict[str, Any]) -> None:
        """Write `value` there. It is the scribe's from now on: do not change it."""
        with self._lock:
            self._waiting[path] = value
        self._news.set()

    def drop(self, path: Path) -> None:
        """Take a file or a folder away, and what still waits for it."""
        with self._lock:
            for other in [p for p in self._waiting if path in (p, *p.parents)]:
                del self._waiting[other]
            self._waiting[path] = None
        self._news.set()

    def close(self, timeout: float = 5.0) -> None:
        """Write what waits, once more, and end."""
        self._ending = True
        self._news.set()
        self._thread.join(timeout)

    # --- the thread ---

    def _work(self) -> None:
        while True:
            self._news.wait(RETRY_S if self._waiting else None)
            self._news.clear()
            ending = self._ending
            self._write_all()
            if ending:
                return

    def _write_all(self) -> None:
        with self._lock:
            waiting = list(self._waiting.items())
        fault = ""
        for path, value in waiting:
            try:
                write(path, value) if value is not None else _remove(path)
            except OSError as error:
                fault = f"{path.name} cannot be kept ({error.strerror or error}): free space"
                continue
            with self._lock:
                if path in self._waiting and self._waiting[path] is value:
                    del self._waiting[path]
        self.fault = fault


def write(path: Path, value: dict[str, Any]) -> None:
    """One file, whole or as it was before. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.new")
    private = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(private, "w", encoding="utf-8") as file:  # it is about somebody's health
        json.dump(value, file, ensure_ascii=False, allow_nan=False, indent=1)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
