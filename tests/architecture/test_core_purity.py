"""The core is plain: no allocation, no globals, no clock, no I/O, whatever is written in it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT

CORE = ROOT / "device" / "core"
SOURCES = sorted(file for file in CORE.glob("*.c") if file.name != "_native.c")
FLAGS = ["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-fno-pic"]
HEADERS = {
    "<math.h>", "<stdatomic.h>", "<stdbool.h>", "<stddef.h>", "<stdint.h>", "<string.h>",
    "<float.h>",
}  # fmt: skip
# what compiled code may call that is not ours: memory moves and arithmetic
ALLOWED = re.compile(r"mem(cpy|set|move|cmp)|_GLOBAL_OFFSET_TABLE_|__stack_chk_fail|[a-z0-9]+f?")
FORBIDDEN = re.compile(
    r"[mc]alloc|realloc|free|time|clock|clock_gettime|printf|puts|open|read|write|rand|abort|exit"
)


@pytest.mark.parametrize("source", SOURCES, ids=lambda file: file.name)
def test_compiled_it_has_no_globals_and_calls_nothing_but_arithmetic(
    source: Path, tmp_path: Path
) -> None:
    compiled = tmp_path / "it.o"
    subprocess.run(["cc", *FLAGS, "-c", str(source), "-o", str(compiled)], check=True)
    table = subprocess.run(["nm", str(compiled)], capture_output=True, text=True, check=True)
    for line in table.stdout.splitlines():
        kind, name = line.split()[-2:]
        assert kind not in "DdBbCcGgSs", f"{source.name}: {name} is writable data"
        if kind == "U" and not name.startswith("rg_"):
            assert ALLOWED.fullmatch(name), f"{source.name} calls {name}"
            assert not FORBIDDEN.fullmatch(name), f"{source.name} calls {name}"


@pytest.mark.parametrize("source", sorted(CORE.glob("*.[ch]")), ids=lambda file: file.name)
def test_it_includes_only_itself_and_plain_c(source: Path) -> None:
    if source.name == "_native.c":
        return
    for name in re.findall(r"^#include (\S+)", source.read_text(), re.M):
        assert name in HEADERS or (CORE / name.strip('"')).exists(), f"{source.name}: {name}"
