"""Which room a line belongs in: the import rules, kept."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

# What the service may know of the device: the words, how they lie in the lanes, the settings.
VOCABULARY = {
    "device.alerts", "device.clock", "device.commands", "device.config", "device.frames",
    "device.journal", "device.logs", "device.plan", "device.questions", "device.settings",
    "device.supervisor", "device.tokens",
}  # fmt: skip
ROOTS = {"device/__main__.py", "service/__main__.py"}  # and device/cli/
TOP = {
    ".ci", ".git", ".gitignore", "CHANGELOG.md", "LICENSE", "README.md", "SAFETY.md", "bench",
    "deploy", "dev", "device", "hardware.md", "pyproject.toml", "service", "setup.py", "systemd",
    "tests",
}  # fmt: skip


def modules(*rooms: str) -> list[str]:
    return sorted(str(f.relative_to(ROOT)) for room in rooms for f in (ROOT / room).rglob("*.py"))


def imports(file: str) -> Iterator[str]:
    """Every module a file imports, wherever in it; `from a import b` counts as a.b and a."""
    for node in ast.walk(ast.parse((ROOT / file).read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: imports are written out in full"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_root(file: str) -> bool:
    return file in ROOTS or file.startswith("device/cli/")


def test_only_known_things_at_the_top() -> None:
    from subprocess import run

    listed = run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert {line.split("/")[0] for line in listed.stdout.splitlines()} <= TOP


@pytest.mark.parametrize("file", modules("device"))
def test_the_device_never_imports_the_service(file: str) -> None:
    assert [name for name in imports(file) if name.split(".")[0] == "service"] == []


@pytest.mark.parametrize("file", modules("service"))
def test_the_service_knows_only_the_vocabulary(file: str) -> None:
    ours = {".".join(n.split(".")[:2]) for n in imports(file) if n.startswith("device.")}
    assert ours <= VOCABULARY


@pytest.mark.parametrize(
    "noun", ["frames", "clock", "alerts", "config", "questions", "supervisor", "tokens", "logs"]
)
def test_the_words_import_nothing_of_ours(noun: str) -> None:
    assert [
        n for n in imports(f"device/{noun}.py") if n.split(".")[0] in ("device", "service")
    ] == []


@pytest.mark.parametrize("file", modules("device/drivers"))
def test_drivers_know_no_policy(file: str) -> None:
    known = {"device.frames", "device.clock", "device.drivers", "device.config"}
    ours = {".".join(n.split(".")[:2]) for n in imports(file) if n.startswith("device.")}
    assert ours <= known


@pytest.mark.parametrize("file", modules("device", "service"))
def test_only_composition_roots_choose_where_frames_come_from(file: str) -> None:
    concrete = re.compile(r"device\.sources\.(live|simulated|replayed|world|scenarios|chips)\b")
    if not is_root(file) and not file.startswith("device/sources/"):
        assert [name for name in imports(file) if concrete.match(name)] == []


@pytest.mark.parametrize("file", modules("device", "service"))
def test_nobody_asks_whether_it_is_simulated(file: str) -> None:
    if is_root(file):
        return
    for node in ast.walk(ast.parse((ROOT / file).read_text())):
        if isinstance(node, ast.If | ast.IfExp | ast.While):
            asked = ast.unparse(node.test).lower()
            assert not re.search(r"simulat|replayed|is_live|mock", asked), f"{file}:{node.lineno}"


@pytest.mark.parametrize("file", modules("device"))
def test_time_is_passed_in(file: str) -> None:
    if is_root(file) or file == "device/clock.py":
        return
    read = {"monotonic", "time", "sleep", "perf_counter", "monotonic_ns", "time_ns"}
    for node in ast.walk(ast.parse((ROOT / file).read_text())):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            assert not (node.value.id == "time" and node.attr in read), f"{file}:{node.lineno}"


@pytest.mark.parametrize("file", modules("device", "service"))
def test_a_file_is_one_noun(file: str) -> None:
    assert len((ROOT / file).read_text().splitlines()) <= 400


def test_training_is_never_imported() -> None:
    for file in modules("device", "service", "tests"):
        assert not any(name.split(".")[0] == "bench" for name in imports(file)), file


def test_what_the_bench_imports_of_itself_is_there() -> None:
    """PyTorch is not here to run the training, so a name that has moved would show to nobody."""
    for file in modules("bench"):
        for node in ast.walk(ast.parse((ROOT / file).read_text())):
            if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("bench."):
                continue
            there = ROOT / Path(*node.module.split("."))
            text = there.with_suffix(".py").read_text() if not there.is_dir() else ""
            defined = _top_level(ast.parse(text)) | {f.stem for f in there.glob("*.py")}
            missing = {alias.name for alias in node.names} - defined
            assert not missing, f"{file}: {node.module} has no {', '.join(sorted(missing))}"


def _top_level(tree: ast.Module) -> set[str]:
    """What a module defines or imports."""
    names = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}
    return names


def test_no_recording_lies_in_the_project() -> None:
    assert [p for p in ROOT.rglob("*.npz") if not {".venv", "build"} & set(p.parts)] == []


def test_units_of_the_core_are_in_its_one_public_header() -> None:
    core = ROOT / "device" / "core"
    sources = {f.stem for f in core.glob("*.c")} - {"_native"}
    headers = {f.stem for f in core.glob("*.h")}
    words_only = {"params", "names", "ring"}  # their face is the public header
    assert sources - headers <= words_only
    learnt = {"fall_weights", "walk_weights", "step_weights"}
    inline = {"bounds", "convolution", "four", "vector"}
    assert headers - sources == {"rearguard", "body", "gait", "demand"} | inline | learnt


def test_the_tests_mirror_the_rooms() -> None:
    rooms = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir()} - {"__pycache__"}
    assert {"core", "device", "service", "replay", "architecture", "browser"} <= rooms
    assert isinstance(ROOT, Path)
