"""What has changed in the configuration file since each release, and how an old file becomes a new.

`python -m device.migrations OLD NEW` is how `rearguard update` asks the release it installs. A
change can be made again without harm, so no file needs to say which release it is of. Imports
nothing of ours.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Gone:
    """A key that is no more. Its line is kept as a comment, for whoever set it meant something."""

    date: str  # since when
    key: str  # section.name
    why: str


CHANGES: tuple[Gone, ...] = (
    Gone("2026-11-25", "imu.driver", "the motion sensor is found by itself"),
    Gone("2026-11-26", "http.token_file", "tokens are made with `rearguard token add`"),
)


def migrate(text: str, changes: Iterable[Gone] = CHANGES) -> tuple[str, list[str]]:
    """The text of today's file, and one line for each thing that was changed in it."""
    gone = {change.key: change for change in changes}
    section, lines, said = "", [], []
    for line in text.splitlines(keepends=True):
        if found := re.match(r"\s*\[\s*([\w-]+)\s*\]", line):
            section = found[1]
        name = re.match(r"\s*([\w-]+)\s*=", line)
        change = gone.get(f"{section}.{name[1]}") if name else None
        if change:
            lines.append(f"# gone since {change.date}, {change.why}: {line.strip()}\n")
            said.append(f"{change.key} is no more ({change.date}): {change.why}")
        else:
            lines.append(line)
    return "".join(lines), said


def main(old: Path, new: Path) -> int:
    text, said = migrate(old.read_text(encoding="utf-8"))
    new.write_text(text, encoding="utf-8")
    sys.stdout.write("".join(f"configuration: {line}\n" for line in said))
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:3])))
