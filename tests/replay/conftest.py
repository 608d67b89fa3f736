"""What the tests of replay share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.replay.sets import SetMaker


@pytest.fixture
def maker(tmp_path: Path) -> SetMaker:
    return SetMaker(tmp_path / "set")


@pytest.fixture
def one_core() -> Iterator[None]:
    """On one processor a walk starts no other processes: the same code, a second sooner."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    yield
    os.sched_setaffinity(0, before)
