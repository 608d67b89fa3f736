"""The core's sources, built for tests: as a plain library with its inner parts in reach."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from cffi import FFI
from numpy.typing import NDArray

from device.core.build import FLAGS, HERE, declarations
from tests.conftest import missing

WARNINGS = ["-std=c11", "-Wall", "-Wextra", "-Werror"]
SOURCES = sorted(str(c) for c in HERE.glob("*.c") if c.name != "_native.c")


def compiler(*names: str) -> str:
    """The first compiler that is here."""
    for name in names:
        if found := shutil.which(name):
            return found
    missing(f"a C compiler ({', '.join(names)})", f"apt install {names[0]}")
    raise AssertionError


def _inner(header: str) -> str:
    """What cffi can read of an inner header: no preprocessor, no inline functions."""
    text = (HERE / header).read_text()
    text = re.sub(r"static inline.*?\n}\n", "", text, flags=re.DOTALL)
    return re.sub(r"^#.*$", "", text, flags=re.MULTILINE)


@pytest.fixture(scope="session")
def inner(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    """(ffi, lib) over imu, attitude, mount and decide by themselves, built warning-free by gcc."""
    if built := os.environ.get("REARGUARD_INNER"):  # by the mutation run, a slip in it
        library = Path(built)
    else:
        library = tmp_path_factory.mktemp("core") / "inner.so"
        command = [compiler("gcc", "cc"), *WARNINGS, "-O2", "-fPIC", "-shared", "-ffp-contract=off"]
        subprocess.run([*command, "-o", str(library), *SOURCES, "-lm"], check=True)
    ffi = FFI()
    ffi.cdef(declarations())
    parts = (
        "body.h",
        "gait.h",
        "demand.h",
        "imu.h",
        "attitude.h",
        "mount.h",
        "decide.h",
    )
    for header in parts:
        ffi.cdef(_inner(header))
    return ffi, ffi.dlopen(str(library))


DRIVER = ["-fPIC", "-shared", "-fvisibility=default"]  # its own functions are to be called


def driven(
    folder: Path, driver: str, declared: str, sources: Sequence[str] = SOURCES
) -> tuple[FFI, Any]:
    """(ffi, lib) of a driver in C and what of the core it reaches into, compiled into `folder`."""
    library, source = folder / "driver.so", folder / "driver.c"
    source.write_text(driver)
    command = [compiler("gcc", "cc"), *FLAGS, *DRIVER, f"-I{HERE}", "-o", str(library)]
    subprocess.run([*command, str(source), *sources, "-lm"], check=True)
    ffi = FFI()
    ffi.cdef(declared)
    return ffi, ffi.dlopen(str(library))


class Trial(NamedTuple):
    """One recording: t [N] s, acc [N,3] m/s², gyro [N,3] rad/s."""

    name: str
    fs: float
    t: NDArray[np.float64]
    acc: NDArray[np.float32]
    gyro: NDArray[np.float32]


def read_trials(folder: Path, every: int = 1) -> Iterator[Trial]:
    """Each `every`-th trial of a recording set."""
    count = 0
    for file in sorted(folder.glob("*.npz")):
        with np.load(file) as data:
            fs = float(np.atleast_1d(data["fs"])[0])
            acc = (data["acc_q"] * data["acc_scale"]).astype(np.float32)
            gyro = (data["gyro_q"] * data["gyro_scale"]).astype(np.float32)
            for name, start, n in zip(data["trial"], data["start"], data["n"], strict=True):
                count += 1
                if count % every == 0:
                    rows = slice(int(start), int(start) + int(n))
                    yield Trial(str(name), fs, np.arange(n) / fs, acc[rows], gyro[rows])


@pytest.fixture(scope="session")
def trials(recordings: Callable[[str], Path]) -> Callable[..., Iterator[Trial]]:
    """`trials("kfall", every=10)`."""
    return lambda name, every=1: read_trials(recordings(name), every)
