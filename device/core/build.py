"""Builds the C core with cffi (API mode). The declarations are read from rearguard.h itself.

`python device/core/build.py` builds it in place (by its path: the package itself cannot be imported
before there is a core); packaging uses `ffi` through setup.py.
"""

import re
import shutil
import tempfile
from pathlib import Path

from cffi import FFI

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
FLAGS = [
    "-std=c11",
    "-O3",
    "-Wall",
    "-Wextra",
    "-fno-math-errno",  # sqrtf is one instruction; nothing reads errno
    "-fno-trapping-math",  # comparisons may be made both ways at once; nothing traps
    "-ffp-contract=off",  # no fused multiply-add where the machine has one: results repeat
    "-flto=auto",  # the judges of a sample are compiled as one program
    "-fvisibility=hidden",  # so nobody can put another function in the place of one of ours
    "-funroll-loops",  # the networks' loops
]


def declarations() -> str:
    """The part of rearguard.h between its [cdef] marks."""
    header = (HERE / "rearguard.h").read_text()
    found = re.search(r"/\* \[cdef\].*?\*/(.*?)/\* \[/cdef\] \*/", header, re.DOTALL)
    if not found:
        raise SystemExit("rearguard.h has lost its [cdef] marks")
    return found[1]


def builder(sources: list[str]) -> FFI:
    """The extension `device.core._native`, from the C files given."""
    built = FFI()
    built.cdef(declarations())
    built.set_source(
        "device.core._native",
        '#include "rearguard.h"',
        include_dirs=[str(HERE)],
        sources=sources,
        depends=[str(header) for header in sorted(HERE.glob("*.h"))],  # or a changed one is missed
        extra_compile_args=FLAGS,
        extra_link_args=FLAGS,
        libraries=["m"],
    )
    return built


def build_in_place() -> None:
    """Compile in a folder of its own, then put the result in place in one move.

    Away from the checkout, because distutils reads a pyproject.toml beside it and an old setuptools
    stumbles over ours; in one move, because a running process has the old file mapped; under the
    name that packaging gives it (cffi keeps to the stable ABI), lest one build hide the other.
    """
    sources = sorted(str(c) for c in HERE.glob("*.c") if c.name != "_native.c")
    with tempfile.TemporaryDirectory() as scratch:
        fresh = HERE / "_native.new"
        shutil.copyfile(builder(sources).compile(tmpdir=scratch), fresh)
        fresh.replace(HERE / "_native.abi3.so")


ffi = builder(
    sorted(str(c.relative_to(ROOT)) for c in HERE.glob("*.c") if c.name != "_native.c"),
)

if __name__ == "__main__":
    build_in_place()
