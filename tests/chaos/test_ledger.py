"""Whether the judges of the chaos would see what they are there to see."""

from __future__ import annotations

import random
import struct
from pathlib import Path
from typing import Any

import pytest

from device.journal import encode
from tests.chaos import diary
from tests.chaos.ledger import Ledger


def said(number: int, **more: Any) -> dict[str, Any]:
    return {"id": f"belt:run:{number}", "event": "fall", "alert_id": f"a{number}", **more}


def test_all_that_was_said_and_came_holds_also_twice_under_its_id() -> None:
    ledger = Ledger()
    records = {record["id"]: record for record in (said(1), said(2))}
    came = [{**record, "delayed_s": 0.1} for record in records.values()]
    ledger.settle(records, [*came, came[0]])
    assert ledger.holds
    assert (ledger.said, ledger.arrived, ledger.again) == (2, 2, 1)


@pytest.mark.parametrize(
    ("came", "what"),
    [
        ([said(1)], "lost"),
        ([said(1), said(2), {**said(1), "id": "belt:service-x:9"}], "doubled"),
        ([said(1), said(2, event="pace")], "changed"),
        ([said(1), said(2), said(3)], "wrong"),
    ],
)
def test_what_must_not_be_is_seen(came: list[dict[str, Any]], what: str) -> None:
    ledger = Ledger()
    ledger.settle({record["id"]: record for record in (said(1), said(2))}, came)
    found = {name for name in ("lost", "doubled", "changed", "wrong") if getattr(ledger, name)}
    assert found == {what}
    assert not ledger.holds


def note(kind: str, name: str, offset: int = 0, data: bytes = b"", at: float = 0.0) -> bytes:
    head = struct.pack("c3xII4xqd", kind.encode(), len(name), len(data), offset, at)
    return head + name.encode() + data


def test_a_cut_keeps_what_was_synced_and_may_lose_the_rest(tmp_path: Path) -> None:
    first, second = encode(said(1)), encode(said(2))
    name = "journal/1.journal"
    (tmp_path / "diary").write_bytes(
        note("w", name, 0, first, 1.0)
        + note("s", name, at=2.0)
        + note("w", name, len(first), second, 3.0)
        + note("w", "store", 0, bytes(5000), 4.0)
        + note("t", "store", 4500, at=5.0)
        + note("r", "store", data=b"aside", at=6.0)
        + note("u", "aside", at=7.0)
    )
    notes = diary.read(tmp_path / "diary")
    before = diary.at(notes, 5)
    assert set(before.promised) == {"belt:run:1"}
    outcomes = set()
    for seed in range(40):
        folder = tmp_path / f"cut-{seed}"
        before.lay(folder, "unsynced lost", random.Random(seed))
        outcomes.add((folder / name).read_bytes())
    assert outcomes == {first, first + second}
    before.lay(tmp_path / "page", diary.PAGE_GONE, random.Random(1))
    assert (tmp_path / "page" / "store").stat().st_size == 4096
    assert (tmp_path / "page" / name).read_bytes() == first + second
    assert set(diary.at(notes, 6).files) == {name, "aside"}
    assert set(diary.at(notes, 7).files) == {name}
