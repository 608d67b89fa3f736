"""Writes RESULTS.md: what `rearguard evaluate` says of every recording set, with the commands.

`./dev bench results [--sets FOLDER] [--json FILE]`; the sets are not part of this project.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
BESIDE = HERE.parents[1] / "shared" / "data"  # where the sets lie beside the project
REARGUARD = str(Path(sys.executable).with_name("rearguard"))
SETS: dict[str, list[list[str]]] = {  # set → the runs of it, by their further arguments
    "kfall": [[], ["--rate", "20"]],
    "sisfall": [[], ["--rate", "20"]],
    "voisard_gait": [[]],
    "mobilised_example": [[]],
    "cmu_pelvis_derived": [[]],
    "mocap_pelvis_derived": [[]],
    "broad": [[]],
}
HEAD = """# Figures on recordings

What `rearguard evaluate` says of public recordings converted to this project's format; made by
`./dev bench results`. **The networks that ship were fitted to all these subjects, and limits set by
hand were set looking at them: these figures guard what was reached, they do not say what strangers
can expect.** That is told by folds, by subject, in `device/core/README.md` (falls, direction), with
the commands. Attitude has nothing fitted, but all its trials were seen. Intervals are 95 % (Wilson
for proportions of trials, bootstrap over subjects for the rest).
Sets named *derived* are computed from motion capture, not recorded by an IMU. Falls are acted.
"""


def evaluate(folder: Path, more: list[str]) -> dict[str, Any]:
    """The figures of one run, as `--json` writes them."""
    with tempfile.TemporaryDirectory() as scratch:
        found = Path(scratch) / "figures.json"
        command = [REARGUARD, "evaluate", str(folder), *more, "--json", str(found)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        result: dict[str, Any] = json.loads(found.read_text())
    return result


def cell(value: float | None, unit: str) -> str:
    if value is None:
        return "–"
    if unit == "share":
        return f"{100 * value:.2f} %"
    return f"{value:.3f}" + ("" if unit == "ratio" else f" {unit}")


def section(name: str, more: list[str], result: dict[str, Any]) -> str:
    derived = ", derived" if result["derived"] else ""
    lines = [
        f"\n## {name}{' at ' + more[-1] + ' Hz' if '--rate' in more else ''}{derived}\n",
        f"`{' '.join(['rearguard evaluate', name, *more])}`: {result['trials']:,} trials, "
        f"{result['samples']:,} samples, {len(result['subjects'])} subjects\n",
        "| figure | value | from | to | of |",
        "|---|---|---|---|---|",
    ]
    for kind, figures in result["figures"].items():
        for figure, of in figures.items():
            unit = of["unit"]
            count = f"{of['hits']:,} of " if of.get("hits") is not None else ""
            lines.append(
                f"| {kind}: {figure.replace('_', ' ')} | {cell(of['value'], unit)} "
                f"| {cell(of['low'], unit)} | {cell(of['high'], unit)} "
                f"| {count}{of['n']:,} {of['of']} |"
            )
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=Path, default=BESIDE, metavar="FOLDER")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if not options.sets.is_dir():
        sys.exit(f"results: no recording sets at {options.sets}; name their folder with --sets")
    text, results = HEAD, []
    for name, runs in SETS.items():
        for more in runs:
            print(f"results: {name} {' '.join(more)}", flush=True)
            results.append(evaluate(options.sets / name, more))
            text += section(name, more, results[-1])
    (HERE / "RESULTS.md").write_text(text)
    if options.json:
        options.json.write_text(json.dumps(results) + "\n")
    print(f"results: {len(results)} evaluations in {HERE.name}/RESULTS.md")


if __name__ == "__main__":
    main()
