"""The store: what is in it stays, what was not committed was never there."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.journal import Cursor
from service.database import StoreError
from service.history import History, UnknownId
from service.store import Store
from service.walks import Walks


def record(number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": f"belt:run-1:{number}", "kind": "alert", "event": "obstacle", "level": "warning",
        "state": "raised", "alert_id": f"a{number}", "boot": "run-1", "t": float(number),
        "raised_at": "2026-01-01T00:00:00.000+00:00", **more,
    }  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "store.sqlite")
    yield store
    store.close()


def ids(store: Store) -> list[int]:
    return [seq for seq, _ in store.waiting(1000, ())]


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
values = st.one_of(
    texts,
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.dictionaries(texts, values, max_size=4), min_size=1, max_size=6))
def test_what_goes_in_comes_out(extras: list[dict[str, Any]]) -> None:
    sent = [{**{f"x_{k}": v for k, v in e.items()}, **record(n)} for n, e in enumerate(extras)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store.sqlite"
        store = Store(path)
        assert store.take(sent, Cursor("00000001-x.journal", 7)) == len(sent)
        store.close()
        again, history = Store(path), History(path)
        found, further = history.alerts(limit=200)
        assert all(r.pop("delivered_at") is None for r in found)
        assert found == sent[::-1]
        assert further == ""
        assert again.cursor == Cursor("00000001-x.journal", 7)
        history.close()
        again.close()


def test_the_same_id_is_kept_once(store: Store) -> None:
    assert store.take([record(1), record(2)]) == 2
    assert store.take([record(2), record(3)]) == 1
    assert len(ids(store)) == 3


def test_records_and_cursor_move_together_or_not_at_all(store: Store) -> None:
    store.take([record(1)], Cursor("a", 1))
    broken = record(3)
    del broken["event"]
    with pytest.raises(KeyError):
        store.take([record(2), broken], Cursor("b", 2))
    assert store.cursor == Cursor("a", 1)
    assert len(ids(store)) == 1
    store.take([record(2)], Cursor("b", 2))  # and it goes on working
    assert len(ids(store)) == 2


def test_cut_at_any_commit_the_files_hold_a_whole_prefix(tmp_path: Path) -> None:
    """The files as they lie on disk after each commit, with the WAL cut anywhere."""
    store = Store(tmp_path / "store.sqlite")
    for number in range(1, 13):
        store.take([record(2 * number - 1), record(2 * number)], Cursor("s", number))
        wal = Path(f"{tmp_path}/store.sqlite-wal")
        for part, keep in enumerate((1.0, 0.97, 0.5, 0.0)):
            cut = tmp_path / f"cut-{number}-{part}"
            cut.mkdir()
            shutil.copy(tmp_path / "store.sqlite", cut)
            (cut / "store.sqlite-wal").write_bytes(
                wal.read_bytes()[: int(wal.stat().st_size * keep)]
            )
            if keep < 1 and number < 3:
                continue  # the schema itself is still in the WAL
            found = Store(cut / "store.sqlite")
            reached = found.cursor.offset
            assert found.set_aside is None
            assert len(ids(found)) == 2 * reached, "records and cursor disagree"
            if keep == 1.0:
                assert reached == number, "a committed record is gone"
            found.close()
    store.close()


@pytest.mark.parametrize(("where", "saved"), [(0, 0), (4096, 0), (20 * 4096, 280)])
def test_a_corrupt_store_is_set_aside_and_what_can_be_read_is_saved(
    tmp_path: Path, where: int, saved: int
) -> None:
    path = tmp_path / "store.sqlite"
    store = Store(path)
    store.take([record(n) for n in range(300)])
    store.close()
    with path.open("r+b") as file:
        file.seek(where)
        file.write(b"\xa5" * 3000)
    damaged = path.read_bytes()
    store = Store(path)
    assert store.set_aside is not None
    assert store.set_aside.read_bytes() == damaged
    assert saved <= len(ids(store)) < 300
    assert store.saved == len(ids(store))
    store.take([record(n) for n in range(300)])  # as the journal brings them again
    assert len(ids(store)) == 300
    store.close()


def test_an_index_that_has_lost_what_waits_is_damage(tmp_path: Path) -> None:
    """By it alone records are sent; a check of the pages does not see that it is short."""
    path = tmp_path / "store.sqlite"
    store = Store(path)
    store.take([record(n) for n in range(10)])
    store.delivered(range(1, 11), "2026-01-01")
    store.close()

    def change(statement: str, *values: object) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(path)) as db, db:
            db.execute("PRAGMA writable_schema = 1")
            return db.execute(statement, values).fetchall()

    (row,) = change("SELECT * FROM sqlite_schema WHERE name = 'events_waiting'")
    change("DELETE FROM sqlite_schema WHERE name = 'events_waiting'")
    change("UPDATE events SET delivered_at = NULL WHERE seq > 7")
    change("INSERT INTO sqlite_schema VALUES (?, ?, ?, ?, ?)", *row)
    assert change("PRAGMA quick_check") == [("ok",)]
    store = Store(path)
    assert store.set_aside is not None
    assert [seq for seq, _ in store.waiting(20, [])] == [8, 9, 10]
    store.close()


def test_the_newest_two_corrupt_stores_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    for n in range(12):
        store = Store(path)
        store.take([record(number) for number in range(300)])
        store.close()
        with path.open("r+b") as file:
            file.seek(20 * 4096)
            file.write(bytes([n + 1]) * 3000)
        Path(f"{path}-wal").touch()
    kept = {file.name: file.read_bytes()[20 * 4096] for file in tmp_path.glob("*.corrupt-??")}
    assert kept == {"store.sqlite.corrupt-10": 10, "store.sqlite.corrupt-11": 11}
    assert len(list(tmp_path.glob("*.corrupt-*-wal"))) <= 2
    store = Store(path)
    assert store.saved > 200, "and what could be read of each is in the next"
    store.close()


def test_a_last_page_that_is_gone_takes_only_what_lay_on_it(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    store = Store(path)
    store.take([record(n) for n in range(300)])
    store.delivered(range(1, 101), "2026-01-01")
    store.close()
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 4096)
    store = Store(path)
    assert store.saved >= 280
    assert set(ids(store)) <= set(range(101 - (300 - store.saved), 301)), "sent again"
    store.close()


def test_a_record_read_again_does_not_open_what_was_closed(store: Store, tmp_path: Path) -> None:
    store.take([record(2, alert_id="a", state="cleared")])
    store.take([record(1, alert_id="a")])  # its row had been on the damaged page
    history = History(tmp_path / "store.sqlite")
    assert history.active() == []
    history.close()


def test_the_journal_is_needed_as_long_as_something_in_it_has_not_arrived(store: Store) -> None:
    assert store.needed() == ""
    store.take([record(1)], Cursor("00000001-r", 9), "00000001-r")
    store.take([record(2), record(3)], Cursor("00000003-r", 9), "00000002-r")
    assert store.needed() == "00000001-r"
    store.delivered([1, 3], "2026-01-01")
    assert store.needed() == "00000002-r"
    store.delivered([2], "2026-01-01")
    assert store.needed() == ""


def test_the_most_urgent_of_many_open_ones(store: Store, tmp_path: Path) -> None:
    levels = ["warning", "danger", "fault"] * 40
    store.take([record(n, level=level) for n, level in enumerate(levels)])
    history = History(tmp_path / "store.sqlite")
    found = history.urgent(50)
    history.close()
    assert [e["level"] for e in found] == ["danger"] * 40 + ["fault"] * 10
    assert found[0]["alert_id"] == "a118", "the newest first"


def test_what_an_earlier_run_had_open_ends_even_if_the_first_try_to_store_fails(
    store: Store, tmp_path: Path
) -> None:
    store.take([record(1)])
    broken = record(3, boot="run-2")
    del broken["event"]
    with pytest.raises(KeyError):
        store.take([record(2, boot="run-2"), broken])
    store.take([record(2, boot="run-2")])
    history = History(tmp_path / "store.sqlite")
    assert [e["alert_id"] for e in history.active()] == ["a2"]
    history.close()


def test_who_answered_first_and_when_is_kept(store: Store, tmp_path: Path) -> None:
    fall = {"alert_id": "f", "level": "danger", "event": "fall"}
    when = [f"2026-01-01T00:0{n}:00.000+00:00" for n in range(5)]
    states = ["raised", "acknowledged", "raised", "acknowledged"]
    for n, (state, by) in enumerate(zip(states, ["", "mqtt:anna", "", "http:bob"], strict=True)):
        store.take([record(n, **fall, state=state, by=by) | {"raised_at": when[n]}])
    history = History(tmp_path / "store.sqlite")
    (episode,) = history.active()
    assert (episode["acknowledged_by"], episode["acknowledged_at"]) == ("mqtt:anna", when[1])
    history.close()


def test_a_second_process_is_turned_away(store: Store, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="another service"):
        Store(tmp_path / "store.sqlite")


def test_a_newer_store_is_refused_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    Store(path).close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreError, match="newer"):
        Store(path)
    assert not list(tmp_path.glob("*corrupt*"))


def test_danger_goes_before_faults_before_the_rest(store: Store) -> None:
    levels = ["info", "fault", "warning", "danger", "fault", "danger"]
    store.take([record(n, level=level) for n, level in enumerate(levels, 1)])
    assert ids(store) == [4, 6, 2, 5, 1, 3]
    assert [seq for seq, _ in store.waiting(2, {4})] == [6, 2]
    store.delivered([4, 2], "2026-01-01")
    assert ids(store) == [6, 5, 1, 3]


@pytest.fixture
def history(store: Store, tmp_path: Path) -> Iterator[History]:
    history = History(tmp_path / "store.sqlite")
    yield history
    history.close()


def open_ones(history: History) -> list[tuple[str, str, str]]:
    return [(e["alert_id"], e["event"], e["state"]) for e in history.active()]


def test_an_episode_is_open_until_it_is_closed(store: Store, history: History) -> None:
    store.take([record(1, alert_id="x"), record(2, alert_id="x", level="stop")])
    (episode,) = history.active()
    assert (episode["level"], episode["state"]) == ("stop", "raised")
    store.take([record(3, alert_id="x", state="cleared", level="info")])
    assert history.active() == []
    (episode,) = history.recent(5)
    assert (episode["level"], episode["state"], episode["event"]) == ("stop", "cleared", "obstacle")


def test_a_chain_is_one_episode(store: Store, history: History) -> None:
    chain: dict[str, Any] = {"alert_id": "f", "level": "danger"}
    store.take([record(1, event="fall_imminent", **chain), record(2, event="fall", **chain)])
    store.take([record(3, event="fall", state="acknowledged", by="mqtt:anna", **chain)])
    assert open_ones(history) == [("f", "fall", "acknowledged")]
    store.take([record(4, event="long_lie", **chain)])
    assert open_ones(history) == [("f", "long_lie", "raised")]
    store.take([record(5, event="fall_cancelled", level="info", state="cancelled", alert_id="f")])
    assert history.active() == []
    assert history.recent(1)[0]["event"] == "long_lie"


def test_what_an_ended_run_left_open_ends_but_danger_stays(store: Store, history: History) -> None:
    store.take([record(1), record(2, level="danger", event="fall"), record(3, level="fault")])
    store.take([record(4, boot="run-2", id="belt:run-2:4")])
    assert open_ones(history) == [("a2", "fall", "raised"), ("a4", "obstacle", "raised")]
    acknowledged = record(5, boot="service-b-1", id="s5", alert_id="a2", state="acknowledged")
    store.take([{**acknowledged, "level": "danger", "event": "fall"}])
    assert open_ones(history) == [("a4", "obstacle", "raised")]


def test_alerts_are_paged_and_filtered(store: Store, history: History) -> None:
    store.take([record(n, level="danger" if n % 2 else "warning") for n in range(1, 8)])
    store.take([record(8, kind="result")])
    first, further = history.alerts(limit=3, level="danger")
    assert [r["t"] for r in first] == [7, 5, 3]
    last, end = history.alerts(limit=3, level="danger", before=further)
    assert ([r["t"] for r in last], end) == ([1], "")
    newer, _ = history.alerts(limit=9, since="belt:run-1:5")
    assert [r["t"] for r in newer] == [7, 6]
    assert history.alerts(limit=9, event="fall")[0] == []
    with pytest.raises(UnknownId):
        history.alerts(limit=9, since="nonsense")


def test_a_session_that_its_run_did_not_live_to_end_is_not_under_way(
    store: Store, tmp_path: Path
) -> None:
    walks = Walks(tmp_path / "store.sqlite")
    assert walks.newest() is None
    store.take([record(1, kind="session", event="start", alert_id="", session="w1")])
    assert (walks.newest() or {})["state"] == "raised"
    store.take([record(2, boot="service-b-1", id="own")])  # the service's own runs are no device's
    assert (walks.newest() or {})["state"] == "raised"
    store.take([record(3, boot="run-2", id="belt:run-2:3")])
    assert (walks.newest() or {})["state"] == "cancelled"
    walks.close()
