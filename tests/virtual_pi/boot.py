"""`./dev test --boot`: an installed belt, its units as they are, under a kernel and systemd.

    ./dev test --boot [--cuts N] [--json FILE] [--logs FOLDER]

Installed by deploy/install.sh into a fresh Debian, with a broker behind TLS. The root is read only,
with memory over it; the data are on a card of their own (ext4). Needs root, as the installer does.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from deploy.roots import Machine, NoRootError, fresh
from tests.install.following import VERSION
from tests.virtual_pi.installed import BOOT_S, Boot, Card, installed
from tests.virtual_pi.machine import NoMachineError, end_like_ctrl_c, kernel

SYNCED_S = 1.2  # s after which a record that was seen in the journal is on the card (recorder.py)
CUT_AFTER_S = (3.0, 9.0)  # s of its own time, from guarding to the power cut


def units(machine: Machine, card: Card, folder: Path) -> dict[str, Any]:
    """Kills and stops both processes in one boot; what came of it, by name."""
    boot = Boot(machine, card, "units", "guards", folder)
    begun = time.monotonic()
    with boot.power:
        boot.word("guarding")
        host = time.monotonic() - begun
        boot.word("end")
        return {it["what"]: it for it in boot.said()} | {"host_s": host}


def cuts(machine: Machine, card: Card, count: int, folder: Path) -> list[dict[str, Any]]:
    """So many power cuts in a row, and one boot more; what each boot said."""
    chance, found = random.Random(7), []
    for number in range(count + 1):
        boot = Boot(machine, card, "cuts", "restless", folder / f"cut-{number}")
        with boot.power:
            guarding, kept = boot.word("guarding"), boot.word("kept")
            until = kept["t"] + chance.uniform(*CUT_AFTER_S)
            end = time.monotonic() + BOOT_S
            while number < count and boot.said()[-1]["t"] < until and time.monotonic() < end:
                time.sleep(0.05)
            time.sleep(chance.uniform(0.0, 0.2))
        said = boot.said()
        found.append({
            "guarding_s": guarding["at"] and guarding["at"] - guarding["power"],
            "kept": kept["ids"], "set_aside": kept["set_aside"],
            "last": said[-1]["t"],
            "journalled": {
                name: it["t"] for it in said if it["what"] == "journalled" for name in it["ids"]
            },
        })  # fmt: skip
        sys.stderr.write(f"boot: power cut {number} of {count}\n" if number else "boot: started\n")
    return found


def judge(found: dict[str, Any]) -> list[tuple[str, str, bool]]:
    """What must hold, what was seen, and whether it held."""
    it, rows = found["units"], []

    def row(what: str, seen: str, holds: Any) -> None:
        rows.append((what, seen, bool(holds)))

    def after(event: dict[str, Any], name: str) -> float:
        return event[name] - event["at"] if event[name] is not None else float("inf")

    begun, guards = it["guarding"]["power"], it["guarding"]["at"] or float("inf")
    row(
        "boots, and guards",
        f"{guards - begun:.1f} s of its own time after systemd's start; "
        f"{it['host_s']:.0f} s of the host's after power",
        guards - begun < 20,
    )
    online = it["online"]["at"] or float("inf")
    row(
        "is told outside",
        f"online {online - begun:.1f} s after systemd's start",
        online - begun < 20,
    )
    killed = it["device killed"]
    row(
        "device killed: started again within 1 s",
        f"{after(killed, 'back'):.2f} s",
        after(killed, "back") < 1,
    )
    row("and guards", f"{after(killed, 'guarding'):.2f} s", after(killed, "guarding") < 5)
    row("and that is told", "; ".join(killed["told"]) or "nothing", killed["told"])
    served = it["service killed"]
    row(
        "service killed: it guards on, every tick in its place",
        f"{served['frames']} frames, longest {served['longest'] * 1e3:.0f} ms apart, "
        f"{served['gaps']} gaps",
        served["guarding"] and served["longest"] < 0.05,
    )
    row(
        "and is back", f"online after {after(served, 'online'):.2f} s", after(served, "online") < 10
    )
    stopped = it["device stopped"]
    row(
        "device hung while its motor runs",
        "it ran" if stopped["running"] else "it did not run",
        stopped["running"],
    )
    row(
        "the watchdog ends it, motor off",
        f"{after(stopped, 'motor_off'):.2f} s",
        after(stopped, "motor_off") < 4,
    )
    row(
        "and it guards again", f"{after(stopped, 'guarding'):.2f} s", after(stopped, "guarding") < 8
    )
    again = it["installed again"]
    row(
        "the installer, run again there: its doctor says that it guards",
        again["output"][-1] if again["output"] else "nothing",
        again["code"] == 0
        and again["guarding"]
        and "== doctor" in again["output"]
        and not any("not fully fit" in line for line in again["output"]),
    )
    updated = it["updated"]
    row(
        "an update that guards stays",
        updated["output"][-1] if updated["output"] else "nothing",
        updated["code"] == 0
        and updated["guarding"]
        and updated["release"].startswith(f"{VERSION}-"),
    )
    gone = it["taken off"]
    row(
        "taken off while it guards: nothing runs, motor off, the data are there",
        gone["output"][0] if gone["output"] else "nothing",
        gone["code"] == 0 and not gone["runs"] and not gone["motor"] and "journal" in gone["kept"],
    )
    boots = found["cuts"]
    back = sum(boot["guarding_s"] is not None for boot in boots)
    row(
        f"{len(boots) - 1} power cuts: it comes back each time",
        f"{back} of {len(boots)} boots",
        back == len(boots),
    )
    lost, safe = 0, 0
    for boot, after_it in itertools.pairwise(boots):
        synced = {i for i, t in boot["journalled"].items() if t <= boot["last"] - SYNCED_S}
        safe += len(synced)
        lost += len(synced - set(after_it["kept"]))
    row("no record lost that was journalled", f"{lost} of {safe} lost", safe and not lost)
    aside = sorted({name for boot in boots for name in boot["set_aside"]})
    row("nothing had to be set aside", ", ".join(aside) or "nothing", not aside)
    return rows


def main() -> int:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("./dev test --boot", description=__doc__, formatter_class=raw)
    parser.add_argument("--cuts", type=int, default=10, metavar="N", help="power cuts; default 10")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep all that was said")
    parser.add_argument("--logs", type=Path, metavar="FOLDER", help="keep each boot's logs there")
    args = parser.parse_args()
    if os.geteuid():
        parser.error("this needs root, as the installer does: run it with sudo")
    begun = time.monotonic()
    end_like_ctrl_c()
    try:
        kernel()
        with fresh("bookworm", "amd64") as machine, tempfile.TemporaryDirectory() as name:
            sys.stderr.write("boot: installing a belt\n")
            installed(machine)
            folder = Path(name)
            found = {"units": units(machine, Card(machine, folder), folder / "units")}
            found["cuts"] = cuts(machine, Card(machine, folder), args.cuts, folder)
            if args.logs:
                shutil.copytree(folder, args.logs, dirs_exist_ok=True,
                                ignore=shutil.ignore_patterns("card"))  # fmt: skip
    except (NoMachineError, NoRootError, TimeoutError) as error:
        sys.stderr.write(f"boot: {error}\n")
        return 2
    rows = judge(found)
    if args.json:
        args.json.write_text(json.dumps({"rows": rows, **found}, indent=1))
    for what, seen, holds in rows:
        sys.stdout.write(f"  {'ok  ' if holds else 'FAIL'} {what}: {seen}\n")
    failed = sum(not holds for *_, holds in rows)
    sys.stdout.write(
        f"boot: {len(rows) - failed} of {len(rows)} hold, {args.cuts} power cuts, "
        f"{time.monotonic() - begun:.0f} s with the installation\n"
    )
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
