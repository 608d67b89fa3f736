"""Builds the C core with cffi (API mode). The declarations are read from rearguard.h itself.

`python -m device.core.build` builds it in place; packaging uses `ffi` through setup.py.
"""

import re
from pathlib import Path

from cffi import FFI

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
FLAGS = ["-std=c11", "-O3", "-Wall", "-Wextra", "-Werror", "-fno-math-errno"]


def declarations() -> str:
    """The part of rearguard.h between its [cdef] marks."""
    found = re.search(r"/\* \[cdef\].*?\*/(.*?)/\* \[/cdef\] \*/", (HERE / "rearguard.h").read_text(), re.S)
    if not found:
        raise SystemExit("rearguard.h has lost its [cdef] marks")
    return found[1]


ffi = FFI()
ffi.cdef(declarations())
ffi.set_source(
    "device.core._native",
    '#include "rearguard.h"',
    include_dirs=[str(HERE)],
    sources=sorted(str(c.relative_to(ROOT)) for c in HERE.glob("*.c") if c.name != "_native.c"),
    extra_compile_args=FLAGS,
    libraries=["m"],
)

if __name__ == "__main__":
    import os

    os.chdir(ROOT)
    ffi.compile(tmpdir=str(ROOT), verbose=False)
