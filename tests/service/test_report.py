"""The report: what it says, that it lies to nobody, and how long it takes."""

from __future__ import annotations

import re
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import pytest

from device.cli import main
from service.dossier import gather
from service.report import report
from service.store import Store
from service.walks import Walks
from tests.conftest import ROOT
from tests.service.belt import Service, configure, free_port
from tests.service.walked import START, record, walk, year


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., str]:
    """`made(records, weeks)`: the report of them so many weeks after the start."""

    def make(records: Any, weeks: float = 1) -> str:
        store = Store(tmp_path / "store.sqlite")
        store.take(records)
        store.close()
        walks = Walks(tmp_path / "store.sqlite")
        try:
            return report(gather(walks, "anna", START + timedelta(weeks=weeks)), "belt")
        finally:
            walks.close()

    return make


def text(page: str) -> str:
    """What a reader sees, in one line."""
    return " ".join(re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.S).split())


class Outside(HTMLParser):
    """Collects whatever a page would fetch or run."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "iframe", "img", "object", "embed"):
            self.found.append(tag)
        for name, value in attrs:
            if name in ("src", "href", "style") or name.startswith("on"):
                self.found.append(f"{name}={value}")


@pytest.mark.measures
def test_a_year_is_made_in_time(made: Callable[..., str]) -> None:
    begun = time.process_time()
    made(year(), 52)
    assert time.process_time() - begun < 2.0, "with filling the store"


def test_a_year_needs_nothing_else(made: Callable[..., str]) -> None:
    page = made(year(), 52)
    outside = Outside()
    outside.feed(page)
    assert outside.found == ["href=data:,"]
    assert page.count("<svg") == 7
    assert "url(" not in page


def test_it_says_what_was_done_and_how_it_went(made: Callable[..., str]) -> None:
    said = text(made(year(6), 6))
    assert re.search(r"Walks \d\d ", said)
    assert "Not measured on a person: simulated:test" in said
    assert re.search(r"Speed, m/s better: \+0\.\d+ a week \(\+0\.\d+ to \+0\.\d+\)", said)
    assert "Step variability, % better: −" in said
    assert "Buzzes felt at the waist: 10 of 10" in said
    assert re.search(r"This week \(programme “Four weeks”, its 4 weeks are over\)", said)


def test_the_cut_offs_are_both_shown_and_called_screening_figures(made: Callable[..., str]) -> None:
    page = made(year(2), 2)
    assert {"3.0 s", "4.5 s", "5.5 s"} <= set(re.findall(r">(\d\.\d s)</text>", page))
    said = text(page)
    assert "Screening figures, not a diagnosis" in said
    assert "AUC 0.655" in said
    assert "no diagnosis" in said


def test_energy_is_never_a_bare_number(made: Callable[..., str]) -> None:
    said = text(made(walk("w1", START)))
    assert re.search(r"\d\.\d\d to \d\.\d\d kcal for each kg", said)
    assert "ACSM" in said
    assert "no primary source" in said
    assert not re.search(r"(?<!to )(?<![\d.])\d+(\.\d+)? kcal", said)


def test_what_is_uncertain_is_said_when_it_is_so(made: Callable[..., str]) -> None:
    plain = text(made(walk("w1", START, borg=3)))
    for said in (
        "clock was not set",
        "switched off",
        "under a minute",
        "nobody said",
        "no wall had",
    ):
        assert said not in plain
    undated = [{**r, "clock_synchronised": False} for r in walk("w2", START)]
    cut = list(walk("w3", START + timedelta(days=1), every_s=60))[:-1]
    short = walk("w4", START + timedelta(days=2), dose_s=30, minutes=1, measured_m=0.0)
    said = text(made([*undated, *cut, *short]))
    assert "1 walks: the belt's clock was not set" in said
    assert "1 walks ended with the belt switched off" in said
    assert "1 walks of under a minute" in said
    assert "1 walks: no wall had measured this wearer's steps" in said
    assert "3 of 4 walks: nobody said how hard it was" in said


def test_a_fall_is_told_with_what_came_of_it(made: Callable[..., str]) -> None:
    fall = record("fall", START + timedelta(days=1), 500, kind="alert", level="danger",
                  state="acknowledged", alert_id="f", by="mqtt:bert")  # fmt: skip
    test = {**fall, "id": "t", "alert_id": "t", "test": True}
    said = text(made([*walk("w1", START), fall, test], 5))
    assert "Fall felt 0 1" in said, "not in the last four weeks, and a test is none"
    assert "3 March 2026: fall, acknowledged by mqtt:bert" in said


def test_nothing_known_is_said_and_not_drawn(made: Callable[..., str]) -> None:
    page = made([record("screening", START, 1, state="confirmed", detail="refuse: poor balance")])
    assert page.count("<svg") == 0
    said = text(page)
    assert said.count("not measured") == 6
    assert "no walk yet" in said
    assert "refuse: poor balance" in said
    assert "Walking backward 0 min" in said


def test_names_and_details_are_no_markup(made: Callable[..., str]) -> None:
    evil = "<script>alert(1)</script>"
    records = [
        *walk("w1", START, reason=evil),
        record("screening", START, 90, detail=f"allow: {evil}"),
        record("walk_test", START, 91, detail=evil, measurements={"time_s": 4.0}),
        record("fall", START, 92, kind="alert", level="danger", alert_id="f", by=evil),
    ]
    page = made([{**r, "source": evil} for r in records])
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def config(folder: Path) -> Path:
    """A configuration beside a store with a few weeks in it, dated to end now."""
    store = Store(folder / "data" / "store.sqlite")
    shift = datetime.now().astimezone() - START - timedelta(weeks=3)
    for one in year(3):
        at = datetime.fromisoformat(one["raised_at"]) + shift
        store.take([{**one, "raised_at": at.isoformat(timespec="milliseconds")}])
    store.close()
    return configure(folder, mqtt_port=free_port())


def test_the_command_writes_one_file_for_oneself(tmp_path: Path) -> None:
    file, out = config(tmp_path), tmp_path / "anna.html"
    command = [str(Path(sys.executable).parent / "rearguard"), "report", "--config", str(file)]
    done = subprocess.run(
        [*command, "--wearer", "anna", "--out", str(out)],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == f"{out}\n"
    assert "Speed, m/s" in out.read_text()
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    for words, said in (
        (["--wearer", "bert", "--out", str(out)], "known: anna"),
        (["--wearer", "anna", "--out", str(tmp_path / "no" / "x.html")], "choose another place"),
    ):
        refused = subprocess.run(
            [*command, *words], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert refused.returncode == 2
        assert said in refused.stderr
        assert len(refused.stderr.splitlines()) == 1


def test_without_a_store_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from service.offline import main as offline

    monkeypatch.setattr("os.execv", lambda _, words: sys.exit(offline(words[3:])))
    file = configure(tmp_path, mqtt_port=1)
    with pytest.raises(SystemExit) as left:
        main(["report", "--config", str(file), "--wearer", "anna", "--out", "x.html"])
    assert left.value.code == 2
    assert "there is no store" in capsys.readouterr().err


@pytest.mark.parametrize("fault", [PermissionError(13, "denied"), sqlite3.DatabaseError("bad")])
def test_a_store_that_cannot_be_read_is_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    fault: Exception,
) -> None:
    from service import offline

    def refuse(_: Path) -> None:
        raise fault

    monkeypatch.setattr(offline, "Walks", refuse)
    words = ["report", "--config", str(config(tmp_path)), "--wearer", "anna", "--out", "x.html"]
    assert offline.main(words) == 2
    told = capsys.readouterr().err
    assert "use sudo" in told
    assert len(told.splitlines()) == 1


def test_the_page_serves_the_same(tmp_path: Path) -> None:
    service = Service(config(tmp_path))
    try:
        with httpx.Client(base_url=service.url, timeout=10) as http:
            answer = http.get("/api/v1/wearers/anna/report")
            assert answer.headers["content-type"].startswith("text/html")
            policy = answer.headers["content-security-policy"]
            assert policy.startswith("default-src 'none'; style-src 'sha256-")
            assert "Speed, m/s" in answer.text
            who = http.get("/api/v1/wearers").json()
            assert (who["wearers"], who["wearing"]) == (["anna"], "anna")
            assert who["screening"]["detail"].startswith("allow")
            progress = http.get("/api/v1/wearers/anna/progress").json()
            assert progress["course"]["programme"] == "four-weeks"
            assert len(progress["weeks"]) in (3, 4)
            assert progress["trends"]["speed_m_s"]["points"] > 6
            listed = http.get("/api/v1/sessions", params={"limit": 2}).json()
            rest = http.get("/api/v1/sessions", params={"before": listed["next"]}).json()
            assert listed["sessions"][-1]["started_at"] > rest["sessions"][0]["started_at"]
            one = listed["sessions"][0]
            assert http.get(f"/api/v1/sessions/{one['session']}").json() == one
            assert "poor_balance" in http.get("/api/v1/screening").json()["questions"]
            assert http.get("/api/v1/programmes").json()["six-weeks"]["minutes"] == [10] * 6
            for missing in ("wearers/cleo/report", "wearers/cleo/progress", "sessions/none"):
                assert http.get(f"/api/v1/{missing}").status_code == 404
    finally:
        service.kill()
