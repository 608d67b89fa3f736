"""The demo as a newcomer runs it: it guards, warns, tells, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import ROOT, missing

COMMAND = [sys.executable, "-c", "import sys; from device.cli import main; sys.exit(main())"]
NO_MOSQUITTO = [
    sys.executable,
    "-c",
    "import sys; from device.cli import broker, main; broker.mosquitto = lambda: None;"
    "sys.exit(main())",
]
NO_BROKER = [
    sys.executable,
    "-c",
    "import sys; from device.cli import broker, main; broker.mosquitto = lambda: None;"
    "broker.importlib.util.find_spec = lambda name: None; sys.exit(main())",
]


class Demo:
    """One running demo, its files in a folder of its own."""

    def __init__(self, folder: Path, *words: str, command: list[str] = COMMAND) -> None:
        self.folder = folder
        folder.mkdir()
        self.port = free_port()
        self.process = subprocess.Popen(
            [*command, "demo", "--port", str(self.port), *words],
            cwd=ROOT,
            env={**os.environ, "TMPDIR": str(folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def until(self, pattern: str) -> None:
        """Till a line says it."""
        said = []
        for line in self.process.stderr:
            said.append(line)
            if re.search(pattern, line):
                return
        pytest.fail(f"no {pattern}: it ended with {self.process.wait()}, {''.join(said)}")

    def end(self) -> tuple[int, list[str], str]:
        """Exit code, lines of standard output, standard error."""
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out.splitlines(), err

    def pids(self) -> dict[int, str]:
        """Every process it has started, itself included, by what they inherit."""
        mark = f"TMPDIR={self.folder}\0".encode()
        found = {}
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and mark in (entry / "environ").read_bytes() + b"\0":
                    found[int(entry.name)] = (entry / "cmdline").read_text().replace("\0", " ")
            except (OSError, UnicodeDecodeError):
                continue  # gone meanwhile, or another user's
        return found

    def left(self) -> list[object]:
        """What is still there: processes, files, the page's port."""
        with socket.socket() as probe:
            listening = probe.connect_ex(("127.0.0.1", self.port)) == 0
        return [*self.pids().values(), *self.folder.iterdir(), *(["port"] if listening else [])]


# What a demo says of itself while the machine is starved, whatever its wearer does.
STARVED = {"not_guarding", "loop_late"}


def warned(out: list[str]) -> list[dict[str, object]]:
    """What a demo that guarded told of its wearer."""
    told = json.loads(out[-1])
    assert told["guarding"] is True
    return [alert for alert in told["alerts"] if alert["event"] not in STARVED]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def chairs(tmp_path_factory):
    """The chair with each broker and a session, all at once: they run in real time.

    Each ends when it has shown its event. On a starved machine a pulse of caution can last so long
    that the wearer stops for it; then the event comes with the next approach.
    """
    if not any(shutil.which("mosquitto", path=p) for p in (os.environ["PATH"], "/usr/sbin")):
        missing("mosquitto", "apt install mosquitto")
    root = tmp_path_factory.mktemp("chairs")
    patience = ("--seconds", "90")
    demos = {
        "session": Demo(root / "session", *patience, "--scenario", "session"),
        "mosquitto": Demo(root / "mosquitto", *patience, "--scenario", "chair"),
        "amqtt": Demo(root / "amqtt", *patience, "--scenario", "chair", command=NO_MOSQUITTO),
    }
    running = {}
    for name, demo in demos.items():
        demo.until(r"obstacle (warning|stop)|session: backward, \d+ of 120 s backward")
        running[name] = " ".join(demo.pids().values())
        demo.process.send_signal(signal.SIGINT)
    return {name: (demo, running[name], *demo.end()) for name, demo in demos.items()}


@pytest.mark.parametrize("broker", ["mosquitto", "amqtt"])
def test_a_chair_is_felt_and_told(chairs, broker):
    demo, running, code, out, err = chairs[broker]
    assert code == 0, err
    assert "mosquitto.conf" in running if broker == "mosquitto" else "cli.broker" in running
    alerts = warned(out)
    urgent = [a for a in alerts if a["event"] == "obstacle" and a["level"] != "caution"]
    assert urgent
    for alert in urgent:
        assert set(alert) == {
            "id", "alert_id", "event", "level", "cause_to_buzz_ms", "cause_to_mqtt_ms",
        }  # fmt: skip
        assert 0 < alert["cause_to_mqtt_ms"] < 2000  # a starved machine's, not the figure
    assert len({alert["id"] for alert in alerts}) == len(alerts)
    assert any(alert["event"] in line for alert in urgent for line in out[:-1])  # the table
    assert demo.left() == []


def test_a_session_is_begun_by_its_wearer_and_shown(chairs):
    _, _, code, out, err = chairs["session"]
    assert code == 0, err
    assert warned(out) == []


def test_its_time_ends_it(tmp_path):
    demo = Demo(tmp_path / "it", "--seconds", "1", "--scenario", "clear")
    code, out, err = demo.end()
    assert code == 0, err
    assert json.loads(out[-1])["guarding"] is True
    assert demo.left() == []


@pytest.fixture(scope="module")
def walks(tmp_path_factory):
    """Demos without an end, all guarding, each for one test to end in its own way."""
    root = tmp_path_factory.mktemp("walks")
    names = ("ctrl-c", "broker", "service", "device", "killed")
    demos = {name: Demo(root / name, "--scenario", "clear") for name in names}
    for demo in demos.values():
        demo.until("^guarding")
    yield demos
    for demo in demos.values():
        demo.process.kill()
        demo.process.wait()


def test_ctrl_c_ends_it_cleanly(walks):
    demo = walks["ctrl-c"]
    demo.process.send_signal(signal.SIGINT)
    code, out, err = demo.end()
    assert code == 0, err
    assert warned(out) == []
    assert demo.left() == []


@pytest.mark.parametrize("part", ["broker", "service", "device"])
def test_a_part_that_dies_is_one_line_and_leaves_nothing(walks, part):
    marks = {"broker": "mosquitto -c", "service": "-m service", "device": "--simulate"}
    demo = walks[part]
    (victim,) = [pid for pid, words in demo.pids().items() if marks[part] in words]
    os.kill(victim, signal.SIGKILL)
    code, out, err = demo.end()
    assert code == 2
    assert out == []
    assert err.splitlines()[-1].startswith(f"rearguard: the {part} has ended by itself")
    assert demo.left() == []


def test_its_parts_do_not_outlive_it(walks):
    demo = walks["killed"]
    demo.process.kill()
    demo.end()
    deadline = time.monotonic() + 10
    while demo.pids() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert demo.pids() == {}


def test_a_busy_port_is_one_line(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        demo = Demo(tmp_path / "it", "--port", port)
        code, out, err = demo.end()
    assert (code, out) == (2, [])
    (line,) = err.splitlines()
    assert line.startswith(f"rearguard: port {port} is not free; ")
    assert demo.left() == []


def test_no_broker_at_all_is_one_line(tmp_path):
    demo = Demo(tmp_path / "it", command=NO_BROKER)
    code, out, err = demo.end()
    assert (code, out) == (2, [])
    (line,) = err.splitlines()
    assert line == (
        "rearguard: no MQTT broker is installed; `apt install mosquitto`, or `pip install amqtt`"
    )
    assert demo.left() == []


@pytest.mark.parametrize(
    "words", [["--scenario", "moon"], ["--seconds", "0"], ["--seconds", "x"], ["--port", "99999"]]
)
def test_impossible_words_are_refused(tmp_path, words):
    demo = Demo(tmp_path / "it", *words)
    code, out, err = demo.end()
    assert (code, out) == (2, [])
    assert words[0] in err.splitlines()[-1]


def test_when_the_usual_port_is_busy_it_takes_another(monkeypatch):
    from device.cli import demo

    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        monkeypatch.setattr(demo, "PAGE_PORT", other.getsockname()[1])
        assert demo._page_port(None) != demo.PAGE_PORT
    assert demo._page_port(None) == demo.PAGE_PORT
