"""Fuzzing of the core (`./dev test --fuzz`): any input, no crash, no NaN, no alarm from the dead.

Three stages, seeded and bounded: libFuzzer over lives made of bytes (fuzz.c), recorded and made-up
lives at random (hammer.c), and saved states with bytes changed, which `Core.restore` must refuse.
Everything in C runs under ASan and UBSan. What fails is kept and its command printed.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
CORE = HERE.parents[1] / "device" / "core"
SOURCES = sorted(str(c) for c in CORE.glob("*.c") if c.name != "_native.c")
SANITIZE = "address,undefined,float-cast-overflow"
FLAGS = ["-std=c11", "-O1", "-g", "-ffp-contract=off", "-fno-sanitize-recover=all"]
FOUND = Path("fuzz-found")  # in the caller's folder
LONGEST_INPUT = 512  # bytes


def build(compiler: str, source: str, sanitize: str, to: Path) -> Path:
    program = to / source
    command = [compiler, *FLAGS, f"-fsanitize={sanitize}", f"-I{CORE}", f"-I{HERE}"]
    subprocess.run(
        [*command, "-o", str(program), str(HERE / f"{source}.c"), *SOURCES, "-lm"], check=True
    )
    return program


def guided(seconds: int, seed: int, scratch: Path) -> dict[str, Any]:
    """libFuzzer; a crash is its own file in FOUND."""
    program = build("clang", "fuzz", f"fuzzer,{SANITIZE}", scratch)
    corpus = scratch / "corpus"
    corpus.mkdir()
    options = [f"-seed={seed}", f"-max_total_time={seconds}", f"-max_len={LONGEST_INPUT}"]
    options += ["-len_control=0", "-timeout=120", "-report_slow_units=120"]
    FOUND.mkdir(exist_ok=True)
    ran = subprocess.run(
        [program, *options, f"-artifact_prefix={FOUND}/", corpus],
        capture_output=True,
        text=True,
        check=False,
    )
    lines = ran.stderr.splitlines()
    runs = re.findall(r"#(\d+)\s", ran.stderr)
    branches = re.findall(r"cov: (\d+)", ran.stderr)
    if ran.returncode:
        print("\n".join(lines[-40:]), file=sys.stderr)
        shutil.copy(program, FOUND / "fuzz")
        print(f"fuzz: again with {FOUND}/fuzz {FOUND}/crash-…", file=sys.stderr)
    elif not any(FOUND.iterdir()):
        FOUND.rmdir()
    return {
        "inputs": int(runs[-1]) if runs else 0,
        "branches": int(branches[-1]) if branches else 0,
        "crashes": int(ran.returncode != 0),
    }


def hammered(seconds: int, seed: int, scratch: Path) -> dict[str, Any]:
    """Lives at random, ten at a time until the time is over."""
    program = build("clang", "hammer", SANITIZE, scratch)
    until, lives, failed = time.monotonic() + seconds, 0, 0
    while time.monotonic() < until and not failed:
        command = [str(program), str(seed + lives), "10"]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        lives += 10
        if ran.returncode:
            failed = 1
            print(f"{ran.stderr[-3000:]}\nfuzz: hammer {' '.join(command[1:])}", file=sys.stderr)
    return {"lives": lives, "failed": failed}


def corrupted(count: int, seed: int) -> dict[str, Any]:
    """Saved states with bytes changed, cut short or made longer: every one must be refused."""
    from device.core import Core

    rng = np.random.default_rng(seed)
    core = Core(100.0)
    core.run(np.arange(300) / 100, rng.normal([0, 0, 9.8], 0.2, (300, 3)).astype(np.float32),
             rng.normal(0, 0.1, (300, 3)).astype(np.float32))  # fmt: skip
    saved, accepted = core.save(), 0
    for _ in range(count):
        spoilt = bytearray(saved)
        for _ in range(int(rng.integers(1, 5))):
            spoilt[int(rng.integers(len(spoilt)))] ^= int(rng.integers(1, 256))
        if rng.integers(4) == 0:
            spoilt = spoilt[: int(rng.integers(len(spoilt)))]
        elif rng.integers(4) == 0:
            spoilt += bytes(int(rng.integers(1, 9)))
        try:
            Core(100.0).restore(bytes(spoilt))
        except ValueError:
            continue
        accepted += bytes(spoilt) != saved
    return {"states": count, "accepted": accepted}


def main() -> None:
    parser = argparse.ArgumentParser(prog="./dev test --fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=180, help="about how long (180)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        found = {
            "guided": guided(options.seconds * 3 // 4, options.seed, Path(scratch)),
            "hammered": hammered(options.seconds // 4, options.seed, Path(scratch)),
            "corrupted": corrupted(2000, options.seed),
        }
    bad = found["guided"]["crashes"] + found["hammered"]["failed"] + found["corrupted"]["accepted"]
    if options.json:
        options.json.write_text(json.dumps(found | {"found": bad, "seed": options.seed}) + "\n")
    print(
        f"fuzz: {found['guided']['inputs']} inputs, {found['guided']['branches']} branches, "
        f"{found['hammered']['lives']} lives, {found['corrupted']['states']} spoilt states; "
        f"found {bad}"
    )
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
