"""Retention: what is too old goes and nothing else, a little at a time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from device.config import Keep
from service import retention
from service.history import History
from service.moment import Moment
from service.retention import EVERY, Retention
from service.store import Store
from service.walks import Walks
from tests.service.walked import START, record, walk

KEEP = Keep(alerts_days=100, sessions_days=300)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "store.sqlite")
    yield store
    store.close()


def deliver(store: Store) -> None:
    store.delivered([seq for seq, _ in store.waiting(10**6, ())], "2026-01-01")


def sweep(store: Store, at: datetime, *, rounds: int = 50, synchronised: bool = True) -> int:
    """Retention as the loop polls it, from a moment on; how many records went."""
    kept = Retention(store, KEEP, lambda: synchronised)
    for n in range(rounds):
        kept.poll(Moment(n * EVERY, at.timestamp() + n * EVERY))
    return kept.dropped


def left(store: Store) -> list[str]:
    return store.work(lambda db: [r[0] for r in db.execute("SELECT event FROM events")])


def alert(number: int, day: float, state: str = "cleared", **more: Any) -> dict[str, Any]:
    more = {"kind": "alert", "level": "warning", "alert_id": f"a{number}", **more}
    return record("obstacle", START + timedelta(days=day), number, state=state, **more)


def test_each_kind_has_its_days(store: Store) -> None:
    store.take([*walk("w1", START, every_s=60, borg=3), alert(900, 0)])
    deliver(store)
    assert sweep(store, START + timedelta(hours=20)) == 0
    assert "progress" in left(store)
    sweep(store, START + timedelta(days=2))
    assert sorted(left(store)) == ["effort", "obstacle", "start", "stop"], "old totals go first"
    sweep(store, START + timedelta(days=99))
    assert len(left(store)) == 4
    sweep(store, START + timedelta(days=101))
    assert sorted(left(store)) == ["effort", "start", "stop"]
    sweep(store, START + timedelta(days=301))
    assert left(store) == []
    assert store.work(lambda db: db.execute("SELECT count(*) FROM sessions").fetchone()) == (0,)


def test_a_session_keeps_its_totals_while_it_is_kept(store: Store, tmp_path: Path) -> None:
    store.take(walk("w1", START, dose_s=840, every_s=60))
    deliver(store)
    sweep(store, START + timedelta(days=299))
    walks = Walks(tmp_path / "store.sqlite")
    assert walks.session("w1")["totals"]["dose_s"] == 840
    walks.close()


def test_an_episode_goes_whole_and_only_when_it_is_over(store: Store, tmp_path: Path) -> None:
    store.take([alert(1, 0, "raised"), alert(2, 0, "raised"), alert(2, 90, id="later")])
    store.take([alert(3, 0, "raised", level="danger"), alert(9, 200, id="new")])
    deliver(store)
    sweep(store, START + timedelta(days=150))
    history = History(tmp_path / "store.sqlite")
    known = {e["alert_id"]: e["state"] for e in history.recent(9)}
    history.close()
    assert known == {"a1": "raised", "a2": "cleared", "a3": "raised", "a9": "cleared"}, (
        "open ones stay, and one whose end is not old enough"
    )
    sweep(store, START + timedelta(days=191))
    assert left(store) == ["obstacle"] * 3


def test_nothing_goes_that_waits_to_be_delivered(store: Store) -> None:
    store.take([alert(1, 0)])
    assert sweep(store, START + timedelta(days=900)) == 0
    deliver(store)
    assert sweep(store, START + timedelta(days=900)) == 1


def test_nothing_goes_while_the_clock_is_not_set(store: Store) -> None:
    store.take([alert(1, 0)])
    deliver(store)
    assert sweep(store, START + timedelta(days=900), synchronised=False) == 0


def test_a_record_of_1970_is_as_old_as_the_next_one_that_knows(store: Store) -> None:
    lost = {"clock_synchronised": False, "raised_at": "1970-01-01T00:00:09.000+00:00"}
    store.take([{**alert(1, 0), **lost}])
    deliver(store)
    assert sweep(store, START + timedelta(days=900)) == 0, "nobody knows how old it is"
    store.take([alert(2, 50)])
    deliver(store)
    assert sweep(store, START + timedelta(days=149)) == 0
    assert sweep(store, START + timedelta(days=151)) == 2


def test_a_batch_is_small_and_the_sweep_comes_round(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 10)
    store.take(alert(n, 0 if n % 2 else 500) for n in range(1, 100))
    deliver(store)
    at = START + timedelta(days=450)
    assert 0 < sweep(store, at, rounds=1) <= 10
    sweep(store, at, rounds=30)
    assert len(left(store)) == 49
    store.take([alert(500, 1)])
    deliver(store)
    assert sweep(store, at, rounds=30) == 1


def test_what_is_deleted_cannot_be_found_in_the_file(store: Store, tmp_path: Path) -> None:
    store.take([alert(1, 0, detail="THE-SECRET-OF-ANNA" * 20), alert(2, 500)])
    deliver(store)
    sweep(store, START + timedelta(days=450))
    store.work(lambda db: None)
    store.close()  # the last connection brings the log into the file
    found = b"".join(p.read_bytes() for p in tmp_path.glob("store.sqlite*"))
    assert b"THE-SECRET-OF-ANNA" not in found
