"""The installer's questions, answered at a real terminal; what comes of them is a configuration."""

from __future__ import annotations

import os
import pty
import subprocess
from pathlib import Path

from device.config import Config
from device.settings import load
from tests.conftest import ROOT

SCRIPT = """
fail() { echo "$*" >&2; exit 2; }
. deploy/dialogue.sh
dialogue >"$OUT"
"""


def talk(folder: Path, answers: dict[str, str]) -> Path:
    """Each prompt that begins with a word of `answers` is given that answer, others just Enter."""
    out = folder / "belt.toml"
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(ROOT)
        os.environ |= {"ETC": str(folder / "etc"), "OUT": str(out)}
        os.execvp("bash", ["bash", "-euc", SCRIPT])  # noqa: S606  a terminal of its own
    shown = ""
    while True:
        try:
            part = os.read(terminal, 1024).decode()
        except OSError:  # the other end is closed
            break
        shown += part
        prompt = shown.splitlines()[-1] if shown else ""
        if prompt.endswith(": "):
            said = next((a for word, a in answers.items() if prompt.startswith(word)), "")
            os.write(terminal, said.encode() + b"\n")
            shown += "\n"
    _, status = os.waitpid(child, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 0, shown
    for secret in answers.get("Its password", "\0").split():
        assert secret not in shown, "it is typed, not shown"
    return out


def test_enter_throughout_is_the_default(tmp_path: Path) -> None:
    out = talk(tmp_path, {})
    assert load(out) == Config()
    assert "[mqtt]" not in out.read_text(), "so that a broker is made on the belt"


def test_a_broker_that_is_there_is_named_and_its_password_lies_apart(tmp_path: Path) -> None:
    (tmp_path / "their-ca.crt").write_text("a certificate")
    out = talk(
        tmp_path,
        {
            "Name of this belt": "belt7",
            "Name of the wearer": "Grace H",
            "Motor": "drv2605l",
            "Rear sensor": "mb1242",
            "Broker": "house.local:8884",
            "User": "belt7",
            "Its password": "correct horse",
            "File with": str(tmp_path / "their-ca.crt"),
        },
    )
    config = load(out)
    assert (config.belt.name, config.wearer.name) == ("belt7", "Grace H")
    assert (config.motor.driver, config.ranger.driver) == ("drv2605l", "mb1242")
    assert (config.mqtt.host, config.mqtt.port) == ("house.local", 8884)
    secret = config.mqtt.password_file
    assert secret.read_text() == "correct horse\n"
    assert secret.stat().st_mode & 0o777 == 0o600
    assert "correct" not in out.read_text()
    assert config.mqtt.ca_file.read_text() == "a certificate"


def test_without_a_terminal_there_is_one_line(tmp_path: Path) -> None:
    done = subprocess.run(
        ["setsid", "bash", "-euc", SCRIPT], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True,
        text=True, env={**os.environ, "ETC": str(tmp_path), "OUT": str(tmp_path / "out")},
        check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].endswith("give --config FILE")
