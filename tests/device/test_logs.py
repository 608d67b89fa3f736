"""Log lines: one an event, whatever is in it; a flood is thinned and says so."""

from __future__ import annotations

import io
import logging
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device import logs
from tests.service.belt import until


@pytest.fixture
def out(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    out = io.StringIO()
    handler = logs.handler(out)
    handler.addFilter(logs.Sparing())
    log = logging.getLogger("room.noun")
    log.addHandler(handler)
    log.propagate = False
    yield out
    log.removeHandler(handler)


def test_an_event_is_one_line_of_fields(out: io.StringIO) -> None:
    logging.getLogger("room.noun").warning("no answer from %s", "10.0.0.9")
    try:
        raise ValueError("two\nlines")
    except ValueError:
        logging.getLogger("room.noun").exception("it failed")
    first, second = out.getvalue().splitlines()
    when, _, first = first.partition(" ")
    assert re.fullmatch(r"time=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", when)
    second = second.partition(" ")[2]
    assert first == 'level=warning part=room.noun said="no answer from 10.0.0.9"'
    assert second.startswith('level=error part=room.noun said="it failed" trace="Traceback')
    assert "two\\nlines" in second


@given(st.text())
def test_nobody_forges_a_line_by_what_they_send(text: str) -> None:
    record = logging.LogRecord("a", logging.INFO, "", 0, "by %s", (text,), None)
    line = logs.Line().format(record).partition(" ")[2]
    assert len(line.splitlines()) == 1
    assert line.isprintable()
    inside = line.removeprefix('level=info part=a said="').removesuffix('"')
    assert '"' not in inside.replace("\\\\", "").replace('\\"', "")


def test_for_the_journal_each_line_has_its_priority(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOURNAL_STREAM", "8:1")
    out = io.StringIO()
    handler = logs.handler(out)
    for level in (logging.ERROR, logging.WARNING, logging.INFO):
        handler.emit(logging.LogRecord("a", level, "", 0, "x", (), None))
    assert [line[:3] for line in out.getvalue().splitlines()] == ["<3>", "<4>", "<6>"]


def test_the_newest_lines_are_kept_and_a_disk_that_refuses_is_no_fault(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = logs.File(tmp_path / "run" / "log")
    record = logging.LogRecord("a", logging.INFO, "", 0, "x" * 1000, (), None)
    kept.emit(record)  # the folder is not there yet
    (tmp_path / "run").mkdir()
    for _ in range(500):
        kept.emit(record)
    kept.close()
    sizes = {file.name: file.stat().st_size for file in (tmp_path / "run").iterdir()}
    assert set(sizes) == {"log", "log.1"}
    assert sum(sizes.values()) > logs.KEPT
    assert max(sizes.values()) <= logs.KEPT
    assert capsys.readouterr() == ("", "")


class Pipe(io.StringIO):
    """Nobody empties it until `open` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.full, self.open = threading.Event(), threading.Event()

    def write(self, text: str) -> int:
        self.full.set()
        assert self.open.wait(30)
        return super().write(text)


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    pipe = Pipe()
    yield pipe
    pipe.open.set()


def _say(aside: logs.Aside, what: object) -> None:
    aside.handle(logging.LogRecord("a", logging.WARNING, "", 0, "line %s", (what,), None))


def test_a_pipe_that_nobody_empties_holds_nobody_up_and_what_it_costs_is_said(pipe: Pipe) -> None:
    aside = logs.Aside(logs.handler(pipe))
    _say(aside, "first")
    assert pipe.full.wait(10)
    changing = [0]
    for _ in range(logs.MOST_WAITING + 7):
        _say(aside, changing)
        changing[0] += 1
    pipe.open.set()
    until(lambda: "line [999]" in pipe.getvalue())
    _say(aside, "after it")
    aside.end()
    lines = pipe.getvalue().splitlines()
    assert len(lines) == 1 + logs.MOST_WAITING + 1
    assert lines[-1].endswith('said="line after it" dropped=7')
    assert not any("dropped" in line for line in lines[:-1])


def test_it_ends_though_nobody_empties_the_pipe(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "LAST_WORDS_S", 0.01)
    monkeypatch.setattr(logs, "MOST_WAITING", 2)
    aside = logs.Aside(logs.handler(pipe))
    _say(aside, "first")
    assert pipe.full.wait(10)
    for n in range(5):
        _say(aside, n)
    aside.end()  # or this test does
    monkeypatch.setattr(logs, "LAST_WORDS_S", 30.0)
    pipe.open.set()
    aside.end()
    assert pipe.getvalue().splitlines()[-1].endswith('said="the log ends" dropped=3')


def test_a_flood_is_thinned_and_says_by_how_much() -> None:
    sparing = logs.Sparing()
    passed = []
    for n in range(1000):  # ten a second of one message, each with a name of its own
        record = logging.LogRecord("a", logging.WARNING, "", 0, "refused %s", (n,), None)
        record.created = 1e9 + n / 10
        if sparing.filter(record):
            passed.append((record, getattr(record, "left_out", 0)))
    assert logs.AT_ONCE <= len(passed) <= logs.AT_ONCE + 100 / logs.EVERY_S + 1
    assert sum(left_out for _, left_out in passed) >= 1000 - len(passed) - 10 * logs.EVERY_S
    other = logging.LogRecord("a", logging.WARNING, "", 0, "something else", (), None)
    assert sparing.filter(other), "another message is not held back by it"
