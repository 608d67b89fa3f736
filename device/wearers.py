"""Who shares this belt: each wearer's screening, baseline, calibration and session, kept on disk.

`wearers/<name>/` in the belt's data folder holds `profile.json`, `gait.json` and, while a session
is under way, `session.json`. Read once, at the start, and written by the scribe's thread.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

from device.baseline import Baseline
from device.core import Usual
from device.screening import Screening
from device.stride import Stride

NAME = r"[A-Za-z0-9_ -]{1,40}"  # as [wearer] name in the configuration
MOST = 16  # profiles of one belt
T = TypeVar("T")


class Desk(Protocol):
    """Keeps files (scribe.Scribe)."""

    fault: str  # one line while the disk refuses

    def put(self, path: Path, value: dict[str, Any]) -> None: ...

    def drop(self, path: Path) -> None: ...


@dataclass(slots=True)
class Profile:
    """One wearer. Times are wall time, s since 1970."""

    name: str
    screening: Screening | None = None
    perceived_at: float | None = None  # when the perception test was passed; None: never
    fell_at: float | None = None
    goal_min: float = 0.0  # of a session, by the programme the service follows; 0: the plan's own
    last_session: str = ""  # id of the newest one that has ended
    stride: Stride = field(default_factory=Stride)
    start_loss: float | None = None  # s lost in setting off backward (walk_test.py)
    baseline: Baseline = field(default_factory=Baseline)
    usual: list[Usual] = field(default_factory=lambda: [Usual(), Usual()])  # Core.usual
    session: dict[str, Any] | None = None  # the one under way (Session.to_dict), for a restart


class Wearers:
    """The profiles, one of them in use."""

    def __init__(self, folder: Path, configured: str, desk: Desk) -> None:
        """Read what is in `folder`. `configured`: who wears it when nobody has changed that."""
        self._folder, self._configured, self._desk = folder, configured, desk
        self.faults: list[str] = []  # files that could not be read, one line each
        self._known: dict[str, Profile] = {}
        for place in sorted(folder.iterdir()) if folder.is_dir() else ():
            if place.is_dir() and re.fullmatch(NAME, place.name):
                self._known[place.name] = self._read(place)
        self.current = self._profile(self._last_used())

    @property
    def fault(self) -> str:
        """One line while profiles cannot be kept, or one could not be read; empty: all is well."""
        return self._desk.fault or "; ".join(self.faults)

    def names(self) -> list[str]:
        return sorted(self._known)

    def use(self, name: str) -> str:
        """Change the wearer; a new name begins a profile. Empty, or why not."""
        if not re.fullmatch(NAME, name) or name != name.strip():
            return "a name has 1 to 40 letters, digits, blanks, _ or -"
        if name not in self._known and len(self._known) >= MOST:
            return f"a belt keeps {MOST} profiles: delete one first"
        self.current = self._profile(name)
        self.keep()
        self._desk.put(
            self._folder / "current.json", {"name": name, "configured": self._configured}
        )
        return ""

    def forget(self, name: str) -> str:
        """Delete all that is kept of a wearer; one in use begins anew. Empty, or why not."""
        if name not in self._known:
            return f"no profile of that name; this belt knows {', '.join(self.names())}"
        del self._known[name]
        self._desk.drop(self._folder / name)
        if self.current.name == name:
            self.current = self._profile(name)
        return ""

    def ask(self, name: str, minutes: float) -> str:
        """A programme asks so much of each session of a wearer; empty, or why not."""
        if name != self.current.name:
            return f"{self.current.name} wears the belt"
        self.current.goal_min = minutes
        self.keep()
        return ""

    def keep(self) -> None:
        """The one in use, to disk."""
        one = self.current
        self._desk.put(
            self._folder / one.name / "profile.json",
            {
                "screening": one.screening.to_dict() if one.screening else None,
                "perceived_at": one.perceived_at,
                "fell_at": one.fell_at,
                "last_session": one.last_session,
                "goal_min": one.goal_min,
            },
        )

    def keep_gait(self) -> None:
        one = self.current
        self._desk.put(
            self._folder / one.name / "gait.json",
            {
                "stride": one.stride.to_list(),
                "start_loss": one.start_loss,
                "baseline": one.baseline.to_dict(),
                "usual": [list(way) for way in one.usual],
            },
        )

    def keep_session(self, session: dict[str, Any] | None) -> None:
        """The session under way, or None: there is none."""
        self.current.session = session
        path = self._folder / self.current.name / "session.json"
        if session is None:
            self._desk.drop(path)
        else:
            self._desk.put(path, session)

    # --- what lies beneath ---

    def _profile(self, name: str) -> Profile:
        return self._known.setdefault(name, Profile(name))

    def _last_used(self) -> str:
        """Whoever wore it last, unless the configuration has changed since."""
        none: dict[str, Any] = {}
        found = self._load(self._folder / "current.json", lambda it: it, none)
        name = found.get("name")
        same = found.get("configured") == self._configured
        return name if same and isinstance(name, str) and name in self._known else self._configured

    def _read(self, place: Path) -> Profile:
        one = Profile(place.name)
        self._load(place / "profile.json", lambda it: _fill(one, it), None)
        self._load(place / "gait.json", lambda it: _fill_gait(one, it), None)
        one.session = self._load(place / "session.json", lambda it: it, None)
        return one

    def _load(self, path: Path, make: Callable[[dict[str, Any]], T], otherwise: T) -> T:
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            if not isinstance(found, dict):
                raise TypeError("it holds no object")
            return make(found)
        except FileNotFoundError:
            return otherwise
        except (OSError, ValueError, TypeError, KeyError) as error:
            self.faults.append(f"{path} is not used ({error!r}): it is asked and learnt anew")
            return otherwise


def _fill(one: Profile, found: dict[str, Any]) -> None:
    screening, perceived, fell = (found[key] for key in ("screening", "perceived_at", "fell_at"))
    one.screening = Screening.from_dict(screening) if screening else None
    one.perceived_at = float(perceived) if perceived is not None else None
    one.fell_at = float(fell) if fell is not None else None
    one.last_session = str(found["last_session"])
    one.goal_min = float(found.get("goal_min", 0.0))


def _fill_gait(one: Profile, found: dict[str, Any]) -> None:
    one.stride = Stride.from_list(found["stride"])
    one.start_loss = float(found["start_loss"]) if found["start_loss"] is not None else None
    one.baseline = Baseline.from_dict(found["baseline"])
    if kept := found.get("usual"):
        backward, other = (
            Usual(float(a), float(b), float(c), float(d), int(n)) for a, b, c, d, n in kept
        )
        one.usual = [backward, other]
