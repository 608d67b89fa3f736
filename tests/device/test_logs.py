"""Log lines: one an event, whatever is in it; a flood is thinned and says so."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device import logs


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
    assert first == 'level=warning part=room.noun said="no answer from 10.0.0.9"'
    assert second.startswith('level=error part=room.noun said="it failed" trace="Traceback')
    assert "two\\nlines" in second


@given(st.text())
def test_nobody_forges_a_line_by_what_they_send(text: str) -> None:
    record = logging.LogRecord("a", logging.INFO, "", 0, "by %s", (text,), None)
    line = logs.Line().format(record)
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
