"""What the installer says of itself, and whom it refuses: nothing is touched by either."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT


@pytest.mark.parametrize("script", ["install", "uninstall"])
def test_help_says_what_it_does_and_a_wrong_option_is_one_line(script: str) -> None:
    def run(word: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [ROOT / "deploy" / f"{script}.sh", word], capture_output=True, text=True, check=False
        )

    shown = run("--help")
    assert shown.returncode == 0
    assert "--dry-run" in shown.stdout
    assert "set -euo" not in shown.stdout
    wrong = run("--purge-all")
    assert wrong.returncode == 2
    assert len(wrong.stderr.splitlines()) == 1


@pytest.mark.parametrize("architecture", ["armhf", "armel", "riscv64"])
def test_a_system_it_cannot_serve_is_refused_with_the_reason(
    architecture: str, tmp_path: Path
) -> None:
    dpkg = tmp_path / "dpkg"
    dpkg.write_text(f"#!/bin/sh\necho {architecture}\n")
    dpkg.chmod(0o755)
    done = subprocess.run(
        [ROOT / "deploy" / "install.sh", "--dry-run"], capture_output=True, text=True, check=False,
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert ("NumPy" in line) == architecture.startswith("arm")
    assert "64-bit" in line or "arm64" in line, "what helps"
