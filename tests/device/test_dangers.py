"""What is kept over a restart: whole, in time, and of any clock as far as it can be believed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from device.dangers import FILE, Dangers, Kept, kept

BOOT = "abcd1234"


def line(event: str, state: str = "raised", **more: Any) -> dict[str, Any]:
    return {
        "kind": "alert", "event": event, "level": "danger", "state": state, "alert_id": "a1",
        "t": 100.0, "boot": f"{BOOT}-7", "raised_at": "2026-01-01T00:00:00.000+00:00",
        "clock_synchronised": True, "source": "live", "by": "", **more,
    }  # fmt: skip


def keep(folder: Path, *lines: dict[str, Any]) -> Dangers:
    dangers = Dangers(folder)
    for one in lines:
        dangers.note(one)
        dangers.save()
    return dangers


def found(folder: Path, **more: Any) -> list[Kept]:
    now = {"now": 130.0, "wall": 1767225600.0 + 50.0, "trusted": True, "boot": BOOT, **more}
    return kept(folder, "live", **now)


def test_within_one_boot_the_monotonic_clock_tells_the_age(tmp_path: Path) -> None:
    keep(tmp_path, line("fall"), line("long_lie", t=125.0))
    assert found(tmp_path) == [Kept("a1", "long_lie", 30.0, "", True)]
    assert found(tmp_path, wall=0.0, trusted=False)[0].age == 30.0


@pytest.mark.parametrize(
    ("trusted", "synchronised", "age"), [(True, True, 50.0), (False, True, 0.0), (True, False, 0.0)]
)
def test_of_another_boot_the_wall_clock_tells_if_it_was_right(
    tmp_path: Path, trusted: bool, synchronised: bool, age: float
) -> None:
    keep(tmp_path, line("fall", clock_synchronised=synchronised))
    assert found(tmp_path, boot="ffffffff", trusted=trusted) == [Kept("a1", "fall", age, "", False)]


def test_the_first_who_answers_is_kept_and_what_is_over_is_not(tmp_path: Path) -> None:
    anna, bob = (line("fall", "acknowledged", by=name) for name in ("anna", "bob"))
    dangers = keep(tmp_path, line("fall"), anna, bob)
    assert found(tmp_path)[0].acknowledged_by == "anna"
    assert dangers.note(line("fall_cancelled", "cancelled", level="info"))
    dangers.save()
    assert found(tmp_path) == []


def test_a_danger_of_another_source_is_none_of_this_belts(tmp_path: Path) -> None:
    keep(tmp_path, line("fall", source="simulated:fall"))
    assert found(tmp_path) == []


@pytest.mark.parametrize(
    "text",
    ["", "[]", "7", '{"a1": 7}', '{"a1": {"event": "fall"}}', '{"a1": {"event": "fall", "t": NaN}}',
     "\udcff{"],
)  # fmt: skip
def test_a_file_that_is_not_ours_keeps_no_belt_from_starting(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_bytes(text.encode(errors="surrogateescape"))
    assert found(tmp_path) == []
    dangers = keep(tmp_path, line("fall"))
    assert not dangers.grown
    assert len(found(tmp_path)) == 1
