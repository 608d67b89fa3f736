"""The frame of the `rearguard` command: one way for every subcommand to go wrong."""

from __future__ import annotations

import argparse
import importlib
import subprocess
import sys

import pytest

from device import cli
from tests.conftest import ROOT


@pytest.fixture
def raising(monkeypatch):
    """`rearguard run --config x` with what its execute raises."""

    def run(error: BaseException) -> int:
        def execute(args: argparse.Namespace) -> int:
            raise error

        monkeypatch.setattr(importlib.import_module("device.cli.run"), "execute", execute)
        return cli.main(["run", "--config", "x"])

    return run


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_explains_itself(name, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main([name, "--help"])
    assert ended.value.code == 0
    assert cli.COMMANDS[name] in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("words", [[], ["fly"], ["run"], ["demo", "--fast"]])
def test_bad_use_is_exit_code_2(words, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    assert ended.value.code == 2
    assert "rearguard" in capsys.readouterr().err


def test_a_fault_is_one_line_and_exit_code_2(raising, capsys):
    assert raising(cli.Fault("the bus\nis stuck; unplug it")) == 2
    assert capsys.readouterr().err == "rearguard: the bus is stuck; unplug it\n"


def test_ctrl_c_is_130_and_says_nothing(raising, capsys):
    assert raising(KeyboardInterrupt()) == 130
    assert capsys.readouterr().err == ""


def test_a_mistake_of_ours_is_not_hidden(raising):
    with pytest.raises(ZeroDivisionError):
        raising(ZeroDivisionError())


def test_a_reader_that_goes_away_is_no_fault():
    """As in `rearguard … | head`: the pipe is closed before the command has written to it."""
    script = (
        "import sys, time; from device import cli; import device.cli.run as run\n"
        "def execute(args):\n"
        "    time.sleep(0.3); sys.stdout.write('x' * 100000); return 0\n"
        "run.execute = execute; sys.exit(cli.main(['run', '--config', 'x']))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait() == 0


def test_serve_becomes_the_service(tmp_path):
    """Its own one line for a file that is not there, and its exit code."""
    ran = subprocess.run(
        [sys.executable, "-c", "from device.cli import main; main()", "serve", "--config", "gone"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 2
    (line,) = ran.stderr.splitlines()
    assert line.startswith("service: ")
