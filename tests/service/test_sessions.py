"""Sessions: whatever happens on the way, every minute walked is counted once."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.journal import Cursor
from service.sessions import joined, public
from service.store import Store
from service.walks import Walks
from tests.service.walked import START, record, walk


def reached(session: str, elapsed: float, number: int, run: str, **more: Any) -> dict[str, Any]:
    """Totals as a device that walks all the time would say them."""
    return record(
        "progress",
        START + timedelta(seconds=elapsed),
        number,
        run=run,
        session=session,
        detail="backward",
        measurements={"elapsed_s": elapsed, "dose_s": elapsed / 2, "steps": round(elapsed)},
        **more,
    )


@st.composite
def histories(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Sessions of one belt, each over one to three runs of the device."""
    records: list[dict[str, Any]] = []
    number = 0
    for walked in range(draw(st.integers(1, 3))):
        elapsed = 0.0
        for run in range(draw(st.integers(1, 3))):
            for step in draw(st.lists(st.integers(1, 30), min_size=1, max_size=5)):
                elapsed += step
                number += 1
                records.append(reached(f"w{walked}", elapsed, number, f"run-{walked}-{run}"))
    return records


@settings(max_examples=20, deadline=None)
@given(data=st.data(), records=histories())
def test_nothing_is_counted_twice(data: st.DataObject, records: list[dict[str, Any]]) -> None:
    """The service dies between batches, and the journal is read again from any earlier place."""
    truth: dict[str, float] = {}
    for one in records:
        truth[one["session"]] = one["measurements"]["dose_s"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store.sqlite"
        place = 0
        while place < len(records):
            store = Store(path)
            start = data.draw(st.integers(0, place))
            place = data.draw(st.integers(place + 1, len(records)))
            store.take(records[start:place], Cursor("s", place))
            store.close()
        walks = Walks(path)
        found = {s["session"]: s["totals"]["dose_s"] for s in walks.sessions()}
        walks.close()
    assert found == truth


@settings(max_examples=60, deadline=None)
@given(data=st.data(), lost=st.sets(st.integers(0, 8)))
def test_order_and_repetition_do_not_matter(data: st.DataObject, lost: set[int]) -> None:
    """Also with damaged lines: what is told of a session depends on what came, not on the way."""
    told = list(walk("w1", START, minutes=1, dose_s=45, every_s=10, borg=3))
    came = [one for n, one in enumerate(told) if n not in lost] or told
    again = data.draw(
        st.permutations(came + data.draw(st.lists(st.sampled_from(came), max_size=5)))
    )
    in_order: dict[str, Any] | None = None
    shuffled: dict[str, Any] | None = None
    for one in came:
        in_order = joined(in_order, one)
    for one in again:
        shuffled = joined(shuffled, one)
    assert shuffled == in_order


def test_a_whole_session() -> None:
    made: dict[str, Any] | None = None
    for one in walk("w1", START, dose_s=600, minutes=15, every_s=10, borg=4, speed_m_s=0.55):
        made = joined(made, one)
    assert made is not None
    told = public(made)
    assert (told["started_at"], told["ended"], told["borg_cr10"]) == (
        START.isoformat(timespec="milliseconds"),
        "dose",
        4,
    )
    assert told["totals"]["dose_s"] == 600
    assert told["totals"]["elapsed_s"] == 900


def test_the_start_is_reckoned_back_when_its_clock_was_wrong() -> None:
    """A Pi without a clock of its own begins a walk in 1970 and learns the time in its midst."""
    first = record("start", START.replace(year=1970), 1, session="w", clock_synchronised=False)
    later = reached("w", 300.0, 2, "run-1")
    made = joined(joined(None, first), later)
    assert made["started_at"] == START.isoformat(timespec="milliseconds")
    assert made["clock_synchronised"]


@pytest.mark.parametrize("absurd", [True, "9", None, [1], 1e300, -(10**400), {"x": 1}])
def test_absurd_totals_are_left_out(absurd: object) -> None:
    told = reached("w", 10.0, 1, "run-1")
    told["measurements"] |= {"steps": absurd, "unheard_of": 3}
    totals = joined(None, told)["totals"]
    assert "steps" not in totals
    assert "unheard_of" not in totals
    assert totals["dose_s"] == 5.0
    told["measurements"] = absurd
    assert joined(None, told)["totals"] == {}


def test_a_store_of_the_first_version_is_brought_up(tmp_path: Path) -> None:
    import sqlite3

    from service import database as module

    path = tmp_path / "store.sqlite"
    db = sqlite3.connect(path)
    db.executescript(f"BEGIN;{module.VERSIONS[0]}PRAGMA user_version = 1;COMMIT;")
    db.close()
    store = Store(path)
    store.take(walk("w1", START))
    store.close()
    walks = Walks(path)
    assert [s["wearer"] for s in walks.sessions()] == ["anna"]
    walks.close()


def test_growing_totals_are_not_news_but_the_rest_is(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.sqlite")
    store.take(walk("w1", START, every_s=10, minutes=2, dose_s=60))
    waiting = [text for _, text in store.waiting(100, ())]
    store.close()
    assert len(waiting) == 2
    assert not any('"progress"' in text for text in waiting)


def test_the_history_is_by_wearer_and_time(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.sqlite")
    for day, wearer in enumerate(["anna", "bert", "anna"]):
        at = START + timedelta(days=day)
        store.take({**r, "wearer": wearer} for r in walk(f"w{day}", at))
    store.take([record("walk_test", START, 99, wearer="cleo", measurements={"time_s": 4.0})])
    store.close()
    walks = Walks(tmp_path / "store.sqlite")
    assert walks.wearers() == ["anna", "bert", "cleo"]
    assert [s["session"] for s in walks.sessions("anna")] == ["w2", "w0"]
    assert [s["session"] for s in walks.sessions("anna", since="2026-03-03")] == ["w2"]
    assert [s["session"] for s in walks.sessions(before="2026-03-04", limit=1)] == ["w1"]
    assert walks.session("w1")["state"] == "cleared"
    assert [r["wearer"] for r in walks.results("walk_test", "cleo")] == ["cleo"]
    walks.close()
