"""One word of health for each stream, from one table: no old value passes for a new one."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.config import Battery, Belt, Config, Ranger
from device.frames import Frame, Gap
from service import status as status_module
from service.counts import LATENESS_EDGES, VERY_LATE, Counts
from service.delivery import UNPROVEN
from service.live import Live
from service.moment import Moment
from service.status import Status
from service.steps import Steps
from service.streams import AHEAD, HEALTH, Stream, table
from service.watch import Seen, Watch

ROW = Stream("A stream", 10.0, 0.5, guards=True)


@given(st.floats(allow_nan=True, allow_infinity=True), st.sampled_from(["", "it is wet"]))
def test_only_what_is_new_and_whole_is_fresh(age: float, fault: str) -> None:
    found = ROW.judge(age, fault)
    assert found["health"] in HEALTH
    assert (found["health"] == "fresh") == (-AHEAD <= age <= 0.5 and not fault)
    assert bool(found["detail"]) == (found["health"] != "fresh"), "what is not fresh says why"


@pytest.mark.parametrize(
    ("age", "fault", "word"),
    [(0.1, "", "fresh"), (0.51, "", "stale"), (-0.1, "", "fresh"),
     (-0.3, "", "stale"), (math.inf, "", "absent"),
     (math.nan, "", "absent"), (0.1, "wet", "faulty"), (9.0, "wet", "stale")],
)  # fmt: skip
def test_the_words(age: float, fault: str, word: str) -> None:
    assert ROW.judge(age, fault)["health"] == word


def test_every_stream_has_its_row_and_a_ranger_only_where_there_is_one() -> None:
    names = set(table(Config()))
    assert names == {"loop", "imu", "rear", "journal", "storage", "broker", "battery", "clock"}
    assert names - set(table(Config(ranger=Ranger(driver="none")))) == {"rear"}


class _Part:
    """Anything the status reads, at rest and well."""

    trouble, unheard, reach = "", "", "confirmed"
    steps = Steps()
    read_at = stored_at = heard_at = 99.9
    records = damaged = connections = confirmed = 0
    connected = device_answers = True
    well = True

    def alive(self, t: float) -> bool:
        return self.well

    def waiting(self) -> tuple[int, str]:
        return 0, ""


class _Bench:
    def __init__(self, folder: Path) -> None:
        config = Config(belt=Belt(data_dir=folder), battery=Battery(gauge="max17048"))
        self.watch = Watch(folder / "frames", 0.0, folder / "cannot-start")
        self.intake, self.broker, self.delivery, self.loop = _Part(), _Part(), _Part(), _Part()
        self.status = Status(
            config, self.watch, Live(config, self.watch), self.intake, self.broker, self.delivery,
            self.loop, _Part(),
        )  # fmt: skip
        self.see(battery=0.8)

    def see(self, **more: float) -> None:
        frame = Frame(t=99.9, tick=99.9, ax=0.0, ping_t=99.9, ping_echo=0, **more)
        self.watch.seen = (self.watch.seen or Seen(frame, "live")).after(frame)

    def word(self, name: str, t: float = 100.0) -> tuple[str, str]:
        found = self.status.streams(Moment(t, 1.7e9))[name]
        return found["health"], found["detail"]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> _Bench:
    monkeypatch.setattr(status_module, "wall_clock_synchronised", lambda: True)
    return _Bench(tmp_path)


def test_all_is_well(bench: _Bench) -> None:
    found = bench.status.streams(Moment(100.0, 1.7e9))
    assert {name: stream["detail"] for name, stream in found.items() if stream["detail"]} == {}
    assert {stream["health"] for stream in found.values()} == {"fresh"}
    counted = {name for name, stream in found.items() if stream["counters"]}
    assert counted == set(found) - {"imu", "rear"}, "these count what has not come yet"
    assert bench.status.reasons(Moment(100.0, 1.7e9)) == []


def test_each_fault_has_its_word_and_what_guards_makes_it_not_ready(
    bench: _Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.loop.trouble = "records cannot be kept (disk full): free space"
    assert bench.word("storage") == ("faulty", bench.loop.trouble)
    bench.loop.trouble = ""
    monkeypatch.setattr(status_module.machine, "free_bytes", lambda _: 12_000_000)
    assert bench.word("storage") == ("faulty", "12 MB are left: free space")
    monkeypatch.undo()
    bench.intake.read_at = -math.inf
    assert bench.word("journal") == ("absent", "no device has kept a journal here")
    bench.intake.read_at = 99.9
    bench.delivery.reach = "unproven"
    assert bench.word("broker") == ("faulty", UNPROVEN)
    bench.delivery.unheard = "nobody listens at the broker"
    assert bench.word("broker") == ("faulty", "nobody listens at the broker")
    bench.broker.heard_at = -math.inf
    bench.broker.trouble = "no broker answers"
    assert bench.word("broker") == ("absent", "no broker answers")
    bench.see(battery=0.1)
    assert bench.word("battery") == ("faulty", "10% left: charge it")
    monkeypatch.setattr(status_module, "wall_clock_synchronised", lambda: False)
    assert bench.word("clock")[0] == "faulty"
    assert bench.status.reasons(Moment(100.0, 1.7e9)) == [], "none of these guards"
    assert [r.split(":")[0] for r in bench.status.reasons(Moment(100.7, 1.7e9))] == ["imu", "rear"]
    late = [r.split(":")[0] for r in bench.status.reasons(Moment(200.0, 1.7e9))]
    assert late == ["loop", "imu", "rear", "journal", "storage"]
    bench.loop.well = False
    assert "service: its loop makes no rounds" in bench.status.reasons(Moment(100.0, 1.7e9))[-1]


def test_a_belt_without_a_gauge_says_so(tmp_path: Path) -> None:
    config = Config(belt=Belt(data_dir=tmp_path))
    watch = Watch(tmp_path / "frames", 0.0, tmp_path / "cannot-start")
    status = Status(config, watch, Live(config, watch), *[_Part() for _ in range(5)])
    found = status.streams(Moment(100.0, 1.7e9))
    assert found["battery"]["health"] == found["loop"]["health"] == "absent"
    assert "no fuel gauge" in found["battery"]["detail"]


def test_a_clock_that_is_set_is_counted() -> None:
    steps = Steps()
    for t, wall in (
        (1.0, 0.0),
        (2.0, 1.001),
        (3.0, 3602.0),
        (4.0, 3603.0),
        (9.0, 3608.0),
        (9.1, 7.0),
    ):
        steps.see(Moment(t, wall))
    assert steps.count == 2


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True, width=32), max_size=30))
def test_lateness_is_counted_once_and_in_its_place(late: list[float]) -> None:
    counts = Counts()
    for lateness in late:
        counts.note(Frame(lateness=lateness, gap=Gap.BUS, ping_echo=99))
    known = [lateness for lateness in late if lateness >= 0.0]
    assert counts.frames == len(late) == sum(counts.gaps.values())
    assert sum(counts.late) == len(known)
    for n, edge in enumerate(LATENESS_EDGES):
        assert sum(counts.late[: n + 1]) == sum(lateness <= edge for lateness in known)
    assert counts.very_late == sum(lateness > VERY_LATE for lateness in known)
    assert not counts.pings, "a number that is no echo is none"
