"""Nobody reached: felt after a while, whatever the reason, until somebody is."""

from __future__ import annotations

import pytest

from device.alerts import Record
from device.reach import NOBODY_S, Reach


def danger(state: str = "raised", t: float = 5.0, level: str = "danger") -> Record:
    return Record("alert", "fall", level, state, "a1", t)


def test_a_danger_that_nobody_was_told_of_is_felt_after_a_while() -> None:
    reach = Reach()
    reach.see(danger())
    reach.see(danger("confirmed", t=9.0))
    assert reach.felt(5.0 + NOBODY_S - 0.01) == []
    assert [name for name, _ in reach.felt(5.0 + NOBODY_S)] == ["nobody"]
    assert reach.told("a1")
    assert reach.felt(100.0) == []
    assert not reach.told("a1"), "it is no news, and no danger that is open"
    reach.see(danger("confirmed", t=65.0))
    assert reach.felt(65.0 + NOBODY_S) != [], "said again, it waits again"


@pytest.mark.parametrize("state", ["acknowledged", "cleared", "cancelled"])
def test_what_is_answered_or_over_waits_for_nobody(state: str) -> None:
    reach = Reach()
    reach.see(danger())
    reach.see(danger(state, level="info"))
    assert reach.felt(100.0) == []


def test_what_is_no_danger_waits_for_nobody() -> None:
    reach = Reach()
    reach.see(danger(level="fault"))
    reach.see(Record("result", "test", "danger", alert_id="a1"))
    assert reach.felt(100.0) == []
