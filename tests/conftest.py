"""What every room's tests share."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"


def missing(what: str, remedy: str) -> None:
    """Skip for a stranger, fail in CI: a proof that silently did not run is no proof."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is missing in CI: {remedy}")
    pytest.skip(f"{what} is not here: {remedy}")


@pytest.fixture(scope="session")
def recordings() -> Callable[[str], Path]:
    """`recordings("kfall")`: the folder of a recording set."""

    def find(name: str) -> Path:
        folder = DATA / name
        if not (folder / "index.csv").exists() and not folder.is_dir():
            missing(f"the recording set {name}", "it lies beside the project, in ../shared/data")
        return folder

    return find


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--json", metavar="FILE", help="write how many passed, failed and were skipped"
    )


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if file := config.getoption("--json"):
        words = ("passed", "failed", "error", "skipped")
        counts = {word: len(terminalreporter.stats.get(word, [])) for word in words}
        (config.invocation_params.dir / file).write_text(json.dumps(counts) + "\n")
