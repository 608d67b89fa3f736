"""A fortnight of the programme, through device and service: who gets better, and who does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.programme import lives


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lives, "WEEKS", 2)
    monkeypatch.setattr(lives, "DAYS", (0, 2, 4))


def test_who_gets_better_is_asked_more_and_counted_right(tmp_path: Path) -> None:
    life = lives.lived("better", lives.better, tmp_path, falls=False)
    assert life.goals == [10, 12, 14]
    figures = lives.judged(life)
    assert figures["dose_error"] <= lives.DOSE_WITHIN
    assert figures["distance_error"] <= lives.DISTANCE_WITHIN
    assert life.dossier is not None
    goals = [session["totals"]["goal_s"] / 60 for session in life.dossier.sessions]
    assert goals == [10] * 3 + [12] * 3, "the device has walked by the goals of the history"
    assert {session["ended"] for session in life.dossier.sessions} == {"dose"}


def test_who_falls_is_asked_nothing_until_screened(tmp_path: Path) -> None:
    life = lives.lived("worse", lives.worse, tmp_path, falls=True)
    assert life.goals == [10, 12, 0]
    assert "a fall in the last three months" in life.refused
    assert life.dossier is not None
    assert life.dossier.sessions[-1]["ended"] == "fall"
    assert [episode["event"] for episode in life.dossier.falls] == ["fall"]
    assert "the screening refuses it" in life.page
