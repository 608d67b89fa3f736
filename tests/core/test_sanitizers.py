"""The core's C: free of warnings, and of undefined behaviour under ASan and UBSan."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from device.core.build import HERE
from tests.core.conftest import SOURCES, WARNINGS, compiler

HAMMER = Path(__file__).with_name("hammer.c")
SAMPLE = np.dtype([("t", "<f8"), ("acc", "<f4", 3), ("gyro", "<f4", 3)])  # rg_sample
SANITIZE = "-fsanitize=address,undefined,float-cast-overflow"


@pytest.fixture(scope="module")
def hammer(tmp_path_factory):
    """Runs hammer.c over the core, built with the sanitizers; returns what it prints."""
    program = tmp_path_factory.mktemp("hammer") / "hammer"
    flags = [*WARNINGS, "-O2", "-g", SANITIZE, "-fno-sanitize-recover=all", f"-I{HERE}"]
    built = [compiler("gcc", "cc"), *flags, "-o", str(program), str(HAMMER), *SOURCES, "-lm"]
    subprocess.run(built, check=True)

    def run(seed, rounds, *file):
        command = [str(program), str(seed), str(rounds), *map(str, file)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-4000:]
        return done.stdout

    return run


def test_made_up_lives(hammer):
    assert hammer(1, 100) == "100 rounds\n"


def test_recorded_lives(hammer, trials, tmp_path):
    """Falls and daily activities, cut up and mixed with the rest."""
    rows = [np.zeros(0, SAMPLE)]
    for name, every in (("kfall", 40), ("sisfall", 100)):
        for trial in trials(name, every):
            part = np.zeros(len(trial.t), SAMPLE)
            part["acc"], part["gyro"] = trial.acc, trial.gyro
            rows.append(part)
    file = tmp_path / "samples"
    np.concatenate(rows).tofile(file)
    assert file.stat().st_size > 10_000 * SAMPLE.itemsize
    assert hammer(2, 60, file) == "60 rounds\n"


def test_no_warning():
    """Beyond -Wall -Wextra, where a slip hides: shadowing, silent narrowing, missing prototypes."""
    more = ["-Wshadow", "-Wpointer-arith", "-Wstrict-prototypes", "-Wvla", "-Wdouble-promotion"]
    command = [compiler("gcc"), *WARNINGS, *more, "-fsyntax-only", *SOURCES]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
