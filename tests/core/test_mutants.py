"""The mutation run makes the slips it says it makes."""

from __future__ import annotations

import subprocess

from tests.core.conftest import SOURCES, compiler
from tests.core.mutants import mutants, mutated

TEXT = b"""static const float LIMIT = 0.5f;
static int beyond(const float *x, int n, int open)
{
    int found = 0;
    for (int i = 0; i < n; i++)
        if (open && x[i] > LIMIT)
            found += 2;
    return !open ? -1 : found;
}
"""


def test_each_slip_is_made_once_and_compiles(tmp_path):
    file = tmp_path / "it.c"
    file.write_bytes(TEXT)
    found = mutants(file)
    assert len({mutant.name for mutant in found}) == len(found)
    assert {m.kind for m in found} == {
        "constant", "comparison", "arithmetic", "boolean", "negation", "deletion",
    }  # fmt: skip
    changed = {mutated(TEXT, mutant) for mutant in found}
    assert len(changed) == len(found)
    for there in (b"0.5f * 1.25f", b"i <= n", b"open || x", b"x[i] >= LIMIT", b"found -= 2",
                  b"return open ?", b"            ;\n"):  # fmt: skip
        assert any(there in text for text in changed), there
    for k, text in enumerate(sorted(changed)):
        (tmp_path / f"m{k}.c").write_bytes(text)
    made = [str(path) for path in tmp_path.glob("m*.c")]
    subprocess.run([compiler("gcc", "cc"), "-w", "-fsyntax-only", *made], check=True)


def test_every_file_of_the_core_has_some():
    from pathlib import Path

    assert all(mutants(Path(source)) for source in SOURCES)
