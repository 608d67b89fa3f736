"""The suite on the Pi's architecture: an arm64 Debian 12, emulated where the machine is another.

    ./dev test --arm64 [ROOM ...] [--json FILE]

The C core is compiled there, wheels are those for arm64, and pytest runs room by room. The emulator
is some ten times slower than this machine: time limits are wider, tests that measure are left out,
and the sanitizers look for no leaks, for which they would have to trace a process (the core
allocates nothing). Recordings and Chromium are not there; tests that need them say so and skip.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from pathlib import Path

from deploy.roots import Machine, NoRootError, fresh

ROOMS = ("core", "service", "device", "replay", "formats", "faults")
PREPARE = """
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    python3-venv python3-dev g++ libc6-dev git mosquitto procps >/dev/null
python3 -m venv /venv
/venv/bin/pip install -q --disable-pip-version-check -e '/src[dev]'
"""
LIMIT = 1500  # s a test: the longest here takes a minute
COUNTS = ("passed", "failed", "error", "skipped")


def tested(machine: Machine, room: str) -> tuple[dict[str, int], str]:
    """How the tests of a room ended, and what pytest said last."""
    done = machine.run(
        "env", "ASAN_OPTIONS=detect_leaks=0", "sh", "-c",
        f"cd /src && exec /venv/bin/python -m pytest tests/{room} -q -n auto --maxprocesses 4"
        f" --dist loadfile -p no:cacheprovider -o timeout={LIMIT} --json {room}.json"
        " --hypothesis-profile=ci -m 'not measures' 2>&1",  # no deadlines in that profile
    )  # fmt: skip
    kept = machine.file(f"/src/{room}.json")
    counts = json.loads(kept.read_text()) if kept.exists() else dict.fromkeys(COUNTS, 0)
    if done.returncode and not counts["failed"] + counts["error"]:
        counts["error"] = 1
    lines = [line for line in done.stdout.splitlines() if re.match(r"FAILED|ERROR|E  ", line)]
    return counts, "\n".join(lines[:60]) or done.stdout[-2000:]


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="./dev test --arm64", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("rooms", nargs="*", metavar="ROOM", help=f"of {', '.join(ROOMS)}")
    parser.add_argument("--json", type=Path, metavar="FILE")
    args = parser.parse_args()
    if unknown := set(args.rooms) - set(ROOMS):
        parser.error(f"no such room: {', '.join(sorted(unknown))}")
    found: dict[str, dict[str, int]] = {}
    begun = time.monotonic()

    def say(text: str) -> None:
        sys.stdout.write(f"{time.monotonic() - begun:5.0f} s  {text}\n")
        sys.stdout.flush()

    try:
        with fresh("bookworm", "arm64") as machine:
            machine.copy_source()
            say("installing, and compiling the core")
            machine.shell(PREPARE)
            say(machine.shell("uname -m; /venv/bin/python --version").replace("\n", " "))
            for room in args.rooms or ROOMS:
                since = time.monotonic()
                counts, said = tested(machine, room)
                say(f"{room:8} " + ", ".join(f"{n} {word}" for word, n in counts.items() if n))
                if counts["failed"] + counts["error"]:
                    sys.stdout.write(said + "\n")
                found[room] = {**counts, "s": round(time.monotonic() - since)}
    except NoRootError as error:
        sys.stderr.write(f"arm64: {error}\n")
        return 2
    if args.json:
        args.json.write_text(json.dumps(found) + "\n")
    total = {word: sum(counts[word] for counts in found.values()) for word in COUNTS}
    bad = total["failed"] + total["error"]
    sys.stdout.write(f"{total['passed']} passed, {bad} failed, {total['skipped']} skipped\n")
    return 1 if bad or not total["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
