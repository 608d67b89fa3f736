"""Mutation run over the core (`./dev test --mutation`): would the tests see a slip?

Each mutant (mutants.py) is compiled into a core of its own in a scratch copy of the project, and
the tests of the core run against it, those about its file first, until one fails. A mutant whose
object code is that of the original is equivalent; others that no test can tell stand in
equivalent.txt with the reason. `--coverage` instead counts the lines that the same tests reach
(gcov).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from typing import Any

from device.core.build import builder
from device.figures.figure import share
from tests.core.mutants import Mutant, mutants, mutated

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "device" / "core"
EQUIVALENT = Path(__file__).with_name("equivalent.txt")
SAMPLE = 120  # mutants, where --all is not asked for: about ten minutes on two idle cores
FLAGS = ["-std=c11", "-O2", "-fPIC", "-fno-math-errno", "-ffp-contract=off", "-w"]
# What is first asked about a file; all others of TESTS follow. The sanitizers are left out: they
# would see nothing that these do not, and take longer than all of them.
RELATED = {
    "attitude": "test_attitude", "core": "test_core", "imu": "test_core", "ring": "test_core",
    "params": "test_core", "names": "test_core", "decide": "test_decide", "mount": "test_mount",
    "steps": "test_steps", "direction": "test_gait", "speed": "test_gait",
    "stability": "test_stability", "regularity": "test_stability", "stumble": "test_stability",
    "falls": "test_falls", "impact": "test_impact", "fall_features": "test_falls",
    "fall_network": "test_convolution", "walk_network": "test_convolution",
    "step_network": "test_convolution", "walk_frames": "test_gait",
    "track": "test_tracker", "tracker": "test_tracker",
    "floor": "test_floor", "blind": "test_tracker", "strays": "test_tracker",
}  # fmt: skip


def tests(file: str) -> list[str]:
    """Test files, the related one first, then the small ones."""
    first = RELATED.get(Path(file).stem, "test_core")
    rest = [p.stem for p in sorted((ROOT / "tests/core").glob("test_*.py"), key=_size)]
    apart = (first, "test_sanitizers", "test_mutants")
    order = [first, *[name for name in rest if name not in apart]]
    return [f"tests/core/{name}.py" for name in order]


def _size(path: Path) -> int:
    return path.stat().st_size


class Copy:
    """A scratch copy of what the core's tests need, with the core built file by file."""

    def __init__(self, folder: Path, extra: list[str]) -> None:
        self.root = folder / "project"
        self._extra = extra
        for part in ("device", "tests/core", "pyproject.toml"):
            source = ROOT / part
            if source.is_dir():
                shutil.copytree(source, self.root / part, ignore=shutil.ignore_patterns("_native*"))
            else:
                shutil.copy(source, self.root / part)
        for file in (ROOT / "tests").glob("*.py"):
            shutil.copy(file, self.root / "tests" / file.name)
        if (ROOT.parent / "shared").is_dir():
            (folder / "shared").symlink_to(ROOT.parent / "shared")
        self.core = self.root / "device" / "core"
        self.objects = folder / "objects"
        self.objects.mkdir()
        builder([]).emit_c_code(str(self.objects / "_native.c"))
        self.sources = sorted(file.name for file in self.core.glob("*.c"))
        include = subprocess.run(
            [sys.executable, "-c", "import sysconfig; print(sysconfig.get_path('include'))"],
            capture_output=True, text=True, check=True,
        ).stdout.strip()  # fmt: skip
        self._compile(self.objects / "_native.c", self.objects / "_native.o", [f"-I{include}"])
        for name in self.sources:
            self.compile(name)

    def _compile(self, source: Path, to: Path, more: list[str]) -> bool:
        command = ["gcc", *FLAGS, *self._extra, *more, f"-I{self.core}", "-c", str(source)]
        ran = subprocess.run([*command, "-o", str(to)], capture_output=True, check=False)
        return ran.returncode == 0

    def compile(self, name: str) -> bytes | None:
        """The object code of one file; None: it does not compile."""
        to = self.objects / f"{name}.o"
        if not self._compile(self.core / name, to, []):
            return None
        return to.read_bytes()

    def link(self) -> None:
        """The extension, and the plain library that tests of inner parts load."""
        plain = [str(self.objects / f"{name}.o") for name in self.sources]
        for objects, to in (
            ([*plain, str(self.objects / "_native.o")], self.core / "_native.abi3.so"),
            (plain, self.objects / "inner.so"),
        ):
            command = ["gcc", "-shared", *self._extra, *objects, "-lm", "-o", str(to)]
            subprocess.run(command, check=True)

    def test(self, files: list[str], timeout: float) -> str:
        """passed, failed or timeout."""
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
        command += ["-o", "timeout=0", *files]  # this run has a time of its own
        process = subprocess.Popen(
            ["nice", "-n", "10", *command], cwd=self.root, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env=os.environ | {
                "OMP_NUM_THREADS": "1",
                "PYTHONDONTWRITEBYTECODE": "1",
                "REARGUARD_INNER": str(self.objects / "inner.so"),
            },
        )  # fmt: skip
        try:
            self.said = process.communicate(timeout=timeout)[0]
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            process.communicate()
            return "timeout"
        return "passed" if process.returncode == 0 else "failed"


@dataclass(frozen=True, slots=True)
class Verdict:
    mutant: Mutant
    word: str  # killed, survived, timeout, equivalent, invalid
    why: str = ""


def judge(copy: Copy, mutant: Mutant, known: dict[str, str], timeout: float) -> Verdict:
    if mutant.name in known:
        return Verdict(mutant, "equivalent", known[mutant.name])
    path = copy.core / mutant.file
    original = path.read_bytes()
    before = copy.compile(mutant.file)
    try:
        path.write_bytes(mutated(original, mutant))
        after = copy.compile(mutant.file)
        if after is None:
            return Verdict(mutant, "invalid", "does not compile")
        if after == before:
            return Verdict(mutant, "equivalent", "the same object code")
        copy.link()
        word = copy.test(tests(mutant.file), timeout)
        return Verdict(mutant, {"passed": "survived", "failed": "killed"}.get(word, word))
    finally:
        path.write_bytes(original)
        copy.compile(mutant.file)


def known_equivalent() -> dict[str, str]:
    """Mutant's name → why no test can tell it: two lines each in equivalent.txt."""
    found, name = {}, ""
    for line in EQUIVALENT.read_text().splitlines():
        if line.startswith("    "):
            found[name] = line.strip()
        elif line and not line.startswith("#"):
            name = line
    return found


@contextmanager
def copies(count: int, extra: list[str]) -> Iterator[Queue[Copy]]:
    with tempfile.TemporaryDirectory(prefix="rearguard-mutants-") as scratch:
        ready: Queue[Copy] = Queue()
        for k in range(count):
            folder = Path(scratch) / str(k)
            folder.mkdir()
            ready.put(Copy(folder, extra))
        yield ready


def mutate(options: argparse.Namespace) -> dict[str, Any]:
    files = [f for f in sorted(CORE.glob("*.c")) if f.name != "_native.c"]
    if options.files:
        files = [f for f in files if f.stem in options.files.split(",")]
    every = [mutant for file in files for mutant in mutants(file)]
    chosen = every if options.all else random.Random(options.seed).sample(
        every, min(options.mutants, len(every))
    )  # fmt: skip
    known, begun = known_equivalent(), time.monotonic()
    verdicts: list[Verdict] = []
    with copies(options.jobs, []) as ready:
        copy = ready.get()
        copy.link()
        started = time.monotonic()
        if copy.test(tests("core.c"), 1800) != "passed":
            sys.exit(f"mutation: the tests fail without any mutant\n{copy.said[-3000:]}")
        timeout = max(60.0, 6 * (time.monotonic() - started))
        ready.put(copy)

        def one(mutant: Mutant) -> Verdict | None:
            if options.minutes and time.monotonic() - begun > 60 * options.minutes:
                return None
            mine = ready.get()
            try:
                return judge(mine, mutant, known, timeout)
            finally:
                ready.put(mine)

        with ThreadPoolExecutor(options.jobs) as pool:
            for verdict in pool.map(one, chosen):
                if verdict is None:
                    continue
                verdicts.append(verdict)
                if verdict.word in ("survived", "timeout"):
                    print(f"{verdict.word}: line {verdict.mutant.line}: {verdict.mutant.name}")
                print(f"\r{len(verdicts)}/{len(chosen)} ", end="", file=sys.stderr, flush=True)
    return {"mutants": len(every), "sampled": len(chosen), "seed": options.seed} | told(verdicts)


def told(verdicts: list[Verdict]) -> dict[str, Any]:
    counts = Counter(verdict.word for verdict in verdicts)
    killed = counts["killed"] + counts["timeout"]  # a loop without an end is seen as well
    figure = share(killed, killed + counts["survived"], "mutants")
    by_file = {}
    for file in sorted({verdict.mutant.file for verdict in verdicts}):
        words = Counter(v.word for v in verdicts if v.mutant.file == file)
        by_file[file] = dict(words)
        print(f"{file:18s} {dict(words)}")
    return {
        "judged": len(verdicts),
        **{w: counts[w] for w in ("killed", "survived", "timeout", "equivalent", "invalid")},
        "share_killed": figure.value,
        "low": figure.low,
        "high": figure.high,
        "by_file": by_file,
        "survivors": [f"line {v.mutant.line}: {v.mutant.name}"
                      for v in verdicts if v.word == "survived"],
    }  # fmt: skip


def cover() -> dict[str, Any]:
    """Lines of the core that its tests reach."""
    with copies(1, ["--coverage", "-O0"]) as ready:
        copy = ready.get()
        copy.link()
        if copy.test(tests("core.c"), 1800) != "passed":
            sys.exit(f"coverage: the tests fail\n{copy.said[-3000:]}")
        reached = total = 0
        missed: list[str] = []
        for name in copy.sources:
            ran = subprocess.run(
                ["gcov", "-t", "-o", str(copy.objects / f"{name}.gcda"), str(copy.core / name)],
                capture_output=True, text=True, check=True, cwd=copy.objects,
            )  # fmt: skip
            lines = re.findall(r"^ *([-#\d=]+)\*?: *(\d+):", _own(ran.stdout, name), re.M)
            executable = [(count, line) for count, line in lines if count != "-"]
            missing = [line for count, line in executable if count.startswith(("#", "="))]
            reached, total = reached + len(executable) - len(missing), total + len(executable)
            missed += [f"{name}:{line}" for line in missing]
            print(f"{name:18s} {len(executable) - len(missing)} of {len(executable)}")
    print("not reached:", " ".join(missed) or "none")
    return {"lines": total, "reached": reached, "share": reached / total, "missed": missed}


def _own(printed: str, name: str) -> str:
    """gcov prints headers as well: the part about the file itself."""
    parts = re.split(r"(?=^ *-: *0:Source:)", printed, flags=re.M)
    return next(
        (part for part in parts if re.search(rf"Source:.*/{re.escape(name)}$", part, re.M)), ""
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="./dev test --mutation", description=__doc__)
    parser.add_argument("--coverage", action="store_true", help="lines reached instead of mutants")
    parser.add_argument("--mutants", type=int, default=SAMPLE, help=f"how many ({SAMPLE})")
    parser.add_argument("--all", action="store_true", help="every one: hours")
    parser.add_argument("--files", metavar="A,B,…", help="of these alone: imu,decide")
    parser.add_argument("--minutes", type=float, help="begin no mutant after so many")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    found = cover() if options.coverage else mutate(options)
    if options.json:
        options.json.write_text(json.dumps(found) + "\n")
    if options.coverage:
        print(f"coverage: {found['reached']} of {found['lines']} lines, {found['share']:.2%}")
    else:
        shown = "-" if found["share_killed"] is None else f"{found['share_killed']:.1%}"
        between = "" if found["low"] is None else f" ({found['low']:.1%} to {found['high']:.1%})"
        print(
            f"mutation: {found['judged']} of {found['mutants']} mutants, seed {found['seed']}: "
            f"{found['killed']} killed, {found['timeout']} timeouts, {found['survived']} survived, "
            f"{found['equivalent']} equivalent, {found['invalid']} invalid; killed {shown}{between}"
        )


if __name__ == "__main__":
    main()
