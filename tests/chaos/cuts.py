"""Power cuts: the belt's files as they lay there at any write, and a service started on them."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from service.intake import Intake
from service.moment import Moment
from service.own import OwnRecords
from service.store import Store
from tests.chaos import diary
from tests.chaos.ledger import Ledger, Payload, doubles, says
from tests.chaos.rig import Rig, wait
from tests.service.belt import BELT, configure

WHOLE_EVERY = 6  # each so many cuts a whole service is started on the copy, and not only its store
PATIENCE = 30.0  # s for it to send what it found


def record(folder: Path, library: Path, seconds: float, dice: random.Random) -> Rig:
    """A belt at work, its service killed now and then and its broker away: every write noted."""
    folder.mkdir()
    (folder / "data").mkdir()
    noted = {"CHAOS_DIARY": str(folder / "diary"), "CHAOS_FOLDER": str(folder / "data")}
    rig = Rig(folder, library, noted)
    rig.start_device(dice.randrange(1 << 30))
    rig.start_service()
    if not rig.serving(PATIENCE):
        raise RuntimeError(f"no service came up: see {rig.folder / 'log'}")
    rig.kill_service()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        rig.start_service()
        time.sleep(dice.uniform(0.5, 2.0))
        if dice.random() < 0.5:
            rig.broker.kill()
            time.sleep(dice.uniform(0.2, 1.0))
            rig.kill_service()
            rig.broker.start()
        else:
            rig.kill_service()
        if dice.random() < 0.3:
            rig.kill_device()
            rig.start_device(dice.randrange(1 << 30))
    rig.kill_device()
    return rig


class Cuts:
    """Many cuts of one recorded life."""

    def __init__(self, rig: Rig, ledger: Ledger, dice: random.Random) -> None:
        self.rig, self.ledger, self.dice = rig, ledger, dice
        self.notes = diary.read(rig.folder / "diary")
        self.came: dict[str, float] = {}  # id → s, when the caregiver first had it
        self.words: dict[str, str] = {}  # what was said → id
        for topic, text, _, at in rig.caregiver.messages:
            if topic == "alert":
                payload = json.loads(text)
                self.words.setdefault(says(payload), payload["id"])
                self.came.setdefault(payload["id"], at)

    def make(self, count: int, tick: Callable[[], None]) -> None:
        for number in range(count):
            k = self.dice.randrange(1, len(self.notes) + 1)
            how = list(diary.WAYS)[number % len(diary.WAYS)]
            disk, at = diary.at(self.notes, k), self.notes[k - 1].at
            copy = self.rig.folder / f"cut-{number}"
            disk.lay(copy / "data", how, self.dice)
            if number % WHOLE_EVERY == 0:
                self._whole(copy, disk.promised, at, f"{how} {k}")
            else:
                self._store(copy, disk.promised, at, f"{how} {k}")
            self.ledger.faults[f"power cut: {how}"] += 1
            shutil.rmtree(copy)
            tick()

    def _store(self, copy: Path, promised: dict[str, Payload], at: float, where: str) -> None:
        """What is found again, by the store and its intake."""
        waiting, marked = found(copy)
        for name in set(promised) - {record["id"] for record in waiting}:
            by = self.came.get(name, float("inf"))
            if by > at and not (name in marked and by < float("inf")):
                self.ledger.lost.append(f"{name} ({where})")
        self._judge(waiting, promised)

    def _whole(self, copy: Path, promised: dict[str, Payload], at: float, where: str) -> None:
        """What a service started on it sends."""
        config = configure(copy, mqtt_port=self.rig.broker.port)
        before = len(self.rig.came())
        missing = {name for name in promised if self.came.get(name, float("inf")) > at}
        child = self.rig.fork("service", config)

        def sent() -> list[Payload]:
            return self.rig.came()[before:]

        # a PUBACK may have come, and its mark been kept, an instant before the caregiver's message
        marked = found_marked(copy)
        wait(lambda: missing <= {alert["id"] for alert in sent()} | marked, PATIENCE)
        child.kill()
        child.close()
        for name in missing - {alert["id"] for alert in sent()}:
            if not (name in marked and name in self.came):
                self.ledger.lost.append(f"{name} ({where}, whole)")
        self._judge(sent(), promised)

    def _judge(self, sent: list[Payload], promised: dict[str, Payload]) -> None:
        """What goes out after a cut must bear the ids and the words it had before."""
        self.ledger.doubled += doubles(sent, self.words)
        for payload in sent:
            if (was := promised.get(payload["id"])) is not None:
                same = all(payload.get(key) == was[key] for key in was)
                self.ledger.changed += [] if same else [payload["id"]]


def found(copy: Path) -> tuple[list[Payload], set[str]]:
    """After a start on the files: what waits to be sent, and the ids marked as delivered."""
    store = Store(copy / "data" / "store.sqlite")
    own = OwnRecords(BELT, "boot", copy.name)
    intake = Intake(copy / "data" / "journal", store, own, lambda _: None, 0)
    t = time.monotonic()
    while intake.poll(Moment(t, time.time())):
        t += 2.0
    waiting = [json.loads(text) for _, text in store.waiting(1 << 30, ())]
    store.close()
    return waiting, found_marked(copy)


def found_marked(copy: Path) -> set[str]:
    """The ids marked as delivered in the store as it lies there."""
    file = copy / "data" / "store.sqlite"
    if not file.exists():
        return set()
    db = sqlite3.connect(file)
    try:
        rows = db.execute("SELECT id FROM events WHERE delivered_at IS NOT NULL").fetchall()
    except sqlite3.DatabaseError:
        return set()  # not whole: nobody can rely on a mark in it
    finally:
        db.close()
    return {row[0] for row in rows}
