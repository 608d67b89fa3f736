"""`./dev test --virtual-pi [SCENE ...] [--json FILE]`: the unmodified device on a kernel's own I2C
bus and pins, scene after scene.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tests.conftest import DATA
from tests.virtual_pi.machine import (
    HERE,
    OWN_TIME,
    ROOT,
    NoMachineError,
    end_like_ctrl_c,
    kernel,
    powered,
)
from tests.virtual_pi.scenes import SCENES, Scene

POWER_ON_S = 400.0  # s at most from power to the end of a scene, on a busy host


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev test --virtual-pi", description=__doc__)
    parser.add_argument("scenes", nargs="*", metavar="SCENE", help=", ".join(SCENES))
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep all that came of it")
    parser.add_argument("--logs", type=Path, metavar="FOLDER", help="keep every process's log")
    args = parser.parse_args()
    if unknown := sorted(set(args.scenes) - set(SCENES)):
        parser.error(f"no scene {', '.join(unknown)}; there are {', '.join(SCENES)}")
    end_like_ctrl_c()
    try:
        kernel()
    except NoMachineError as error:
        sys.stderr.write(f"virtual Pi: {error}\n")
        return 2
    found = {}
    for name in args.scenes or SCENES:
        if (source := SCENES[name].recording) and not (DATA / source[0]).is_dir():
            sys.stderr.write(f"virtual Pi: {name} is left out: no {DATA / source[0]}\n")
            if os.environ.get("CI") == "true":
                found[name] = {"wrong": "its recording is missing in CI"}
            continue
        sys.stderr.write(f"virtual Pi: {name}: {SCENES[name].title}\n")
        with tempfile.TemporaryDirectory(prefix="rearguard-scene-") as spare:
            folder = (args.logs / name).absolute() if args.logs else Path(spare)
            folder.mkdir(parents=True, exist_ok=True)
            found[name] = played(name, folder)
    _show(found)
    if args.json:
        args.json.write_text(json.dumps(found, indent=1))
    wrong = [f"{name}: {it['wrong']}" for name, it in found.items() if it["wrong"]]
    sys.stderr.writelines(line + "\n" for line in wrong)
    rows = [row for it in found.values() for row in it.get("told", ()) if "mqtt_s" in row]
    slowest = max((row["mqtt_s"] for row in rows), default=0.0)
    felt = max(
        (row["felt_s"] for row in rows if row["felt_s"] and row["must_be_felt"]), default=0.0
    )
    sys.stdout.write(
        f"virtual Pi: {len(found) - len(wrong)} of {len(found)} scenes as they must be; "
        f"from cause to motor at most {felt:.2f} s, to MQTT {slowest:.2f} s\n"
    )
    return int(bool(wrong))


def played(name: str, folder: Path) -> dict[str, Any]:
    """One scene on a machine of its own; `wrong` says in one line what was not as it must be."""
    arguments = [
        OWN_TIME, "root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro",
        f"init={HERE / 'init'}",
        f"clone={ROOT}", f"results={folder}", f"python={sys.executable}", f"scene={name}",
    ]  # fmt: skip
    outcome = folder / "outcome.json"
    outcome.unlink(missing_ok=True)
    with powered(arguments, folder / "console.log") as machine:
        try:
            machine.wait(POWER_ON_S)
        except subprocess.TimeoutExpired:
            return {"wrong": f"no end after {POWER_ON_S:g} s"}
    if not outcome.exists():
        said = "".join(
            log.read_text(errors="replace")
            for log in (folder / "console.log", folder / "guest.log")
            if log.exists()
        )
        return {"wrong": "no outcome: " + (said.strip().splitlines() or ["it said nothing"])[-1]}
    it: dict[str, Any] = json.loads(outcome.read_text())
    it["wrong"] = _judge(SCENES[name], it)
    return it


def _judge(scene: Scene, it: dict[str, Any]) -> str:
    """What is not as it must be, in one line; empty: nothing."""
    wrong = []
    if scene.doctor and not it["doctor"]["guarding_possible"]:
        faults = [f"{f['part']}: {f['said']}" for f in it["doctor"]["findings"] if "fault" in f]
        wrong.append(f"its doctor finds {', '.join(faults)}")
    if it["status"] != "online":
        wrong.append(f"its status is {it['status'] or 'never told'}")
    if it["frames"]["source"] != "live":
        wrong.append(f"it is fed by {it['frames']['source']}")
    if not any(event["what"] == "motor" for event in it["played"]):
        wrong.append("the motor never ran, not even to say that it guards")
    for told, row in zip(scene.told, it["told"], strict=True):
        row["must_be_felt"] = bool(told.felt)
        what = f"{told.event} {told.state}"
        if "mqtt_s" not in row:
            wrong.append(f"{what} did not come out of the broker")
            continue
        if row["mqtt_s"] > told.within:
            wrong.append(f"{what} came after {row['mqtt_s']:.2f} s, not within {told.within:g} s")
        if told.felt and not (row["felt_s"] is not None and row["felt_s"] <= told.felt):
            wrong.append(f"{what} was felt after {row['felt_s']} s, not within {told.felt:g} s")
    expected = {told.event for told in scene.told}
    if more := {a["event"] for a in it["alerts"] if a["kind"] == "alert"} - expected:
        wrong.append(f"told besides: {', '.join(sorted(more))}")
    return "; ".join(wrong)


def _show(found: dict[str, dict[str, Any]]) -> None:
    shown = Table(box=box.SIMPLE_HEAD, title="On the virtual Pi, in its own time")
    for name, justify in (
        ("scene", "left"), ("guards after", "right"), ("told", "left"), ("motor after", "right"),
        ("MQTT after", "right"), ("gaps", "right"), ("", "left"),
    ):  # fmt: skip
        shown.add_column(name, justify=justify, overflow="fold")  # type: ignore[arg-type]
    for name, it in found.items():
        frames, first = it.get("frames"), True
        for row in it.get("told") or [{}]:
            shown.add_row(
                name if first else "",
                f"{it['guarding_s']:.1f} s" if frames and first else "",
                f"{row['event']} {row['state']}" if row else "",
                _seconds(row.get("felt_s") if row.get("must_be_felt") else None),
                _seconds(row.get("mqtt_s")),
                f"{frames['gaps']} of {frames['count']}" if frames and first else "",
                (f"WRONG: {escape(it['wrong'])}" if it["wrong"] else "ok") if first else "",
            )
            first = False
    Console(width=None if sys.stdout.isatty() else 170).print(shown)


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.2f} s"


if __name__ == "__main__":
    sys.exit(main())
