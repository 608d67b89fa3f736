"""What was said, what arrived, and what is wrong between them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from device import journal
from tests.chaos.device import WITNESS

Payload = dict[str, Any]
OURS = ":service-"  # in the ids of what the service itself says
CHANGES = {"id", "t", "raised_at", "clock_synchronised", "delayed_s", "schema"}


@dataclass
class Ledger:
    """The sum of a torment."""

    faults: Counter[str] = field(default_factory=Counter)  # fault → how often it was thrown
    said: int = 0  # records that were on the disk
    arrived: int = 0  # different ids
    again: int = 0  # messages that came again under their id
    lost: list[str] = field(default_factory=list)  # ids said that never came
    doubled: list[str] = field(default_factory=list)  # ids that say what another has said
    changed: list[str] = field(default_factory=list)  # ids that came otherwise than said
    wrong: list[str] = field(default_factory=list)  # whatever else must not be

    def settle(self, said: dict[str, Payload], came: list[Payload]) -> None:
        """Compare what is in the journal with what a caregiver got."""
        first: dict[str, Payload] = {}
        for payload in came:
            first.setdefault(payload["id"], payload)
        self.said += len(said)
        self.arrived += len(first)
        self.again += len(came) - len(first)
        self.lost += sorted(set(said) - set(first))
        self.doubled += doubles(first.values(), {})
        for name, record in said.items():
            if name in first and any(first[name].get(key) != record[key] for key in record):
                self.changed.append(name)
        self.wrong += [
            f"{name} came from nowhere" for name in first if OURS not in name and name not in said
        ]

    def add(self, other: Ledger) -> None:
        """The sum of both."""
        self.faults += other.faults
        for name in ("said", "arrived", "again", "lost", "doubled", "changed", "wrong"):
            setattr(self, name, getattr(self, name) + getattr(other, name))

    @property
    def holds(self) -> bool:
        return not (self.lost or self.doubled or self.changed or self.wrong)


def journalled(data: Path, witness: Path) -> dict[str, Payload]:
    """Every whole record in the journal, and in the segments that were dropped from it."""
    files = {file.name: file for file in (*witness.glob("*.journal"), *data.glob("*.journal"))}
    found = {}
    for _, file in sorted(files.items()):
        for line in file.read_bytes().splitlines(keepends=True):
            if (record := journal.decode(line)) is not None:
                found[record["id"]] = record
    return found


def said_in(folder: Path) -> dict[str, Payload]:
    return journalled(folder / "data" / "journal", folder / WITNESS)


def doubles(payloads: Iterable[Payload], before: Mapping[str, str]) -> list[str]:
    """Ids of those that say what one of another id has said, among them or `before`."""
    seen: dict[str, str] = {}
    more = []
    for payload in payloads:
        if payload["event"] == "storage_fault":
            continue  # damage may be told of one place after another, in the same words
        words, name = says(payload), payload["id"]
        if before.get(words, name) != name or seen.setdefault(words, name) != name:
            more.append(name)
    return more


def says(payload: Payload) -> str:
    """What it says, whenever and under whatever id: same episode, same state, same words."""
    kept = {key: value for key, value in payload.items() if key not in CHANGES}
    return json.dumps(kept, sort_keys=True)
