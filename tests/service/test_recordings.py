"""Recordings over HTTP: what the black box wrote, drawn and taken away, and nothing else."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from device.alerts import Record
from device.blackbox import _write_set
from device.frames import Frame
from device.recordings import RecordingSet
from service.recordings import Recordings, UnknownRecordingError, name_of
from tests.service.belt import Device, Service, configure, free_port, until

FS, SECONDS = 100.0, 30.0


def keep(folder: Path, device: Device, alert_id: str) -> str:
    """A recording as the black box writes it, around what `device` said last; its name."""
    now = device.frame.tick
    frames = []
    for k in range(int(FS * SECONDS)):
        frame = Frame(t=now - 25.0 + k / FS, ax=0.0, ay=0.0, az=9.81, gx=0.1, gy=0.0, gz=0.0)
        if k == 2500:
            frame.az = 45.0  # the impact: one sample among three thousand
        if k % 6 == 0:
            frame.ping_t, frame.ping_range, frame.ping_echo = frame.t, 2.0 - k / 3000, 0
        frames.append(frame)
    name = name_of(alert_id)
    (folder / name).mkdir(parents=True)
    first = Record("alert", "fall", "danger", alert_id=alert_id, detail="an impact")
    _write_set(folder / name, "test", name, first, frames, b"\0" * 16, 0, FS)
    return name


@pytest.fixture(scope="module")
def belt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str, httpx.Client]]:
    folder = tmp_path_factory.mktemp("belt")
    config = configure(folder, mqtt_port=free_port())
    device, service = Device(folder), Service(config)
    until(lambda: device.frame.tick > 0)
    alert_id = device.say("fall", "danger")
    name = keep(folder / "data" / "recordings", device, alert_id)
    with httpx.Client(base_url=service.url) as http:
        until(lambda: alert_id in http.get("/api/v1/alerts").text)
        yield folder / "data" / "recordings", name, http
    service.kill()
    device.stop()


def test_they_are_listed_and_drawn_with_what_was_decided(
    belt: tuple[Path, str, httpx.Client],
) -> None:
    _, name, http = belt
    (row,) = http.get("/api/v1/recordings").json()["recordings"]
    assert (row["name"], row["event"], row["seconds"]) == (name, "fall", SECONDS)
    drawn = http.get(f"/api/v1/recordings/{name}").json()
    assert name_of(drawn["alert_id"]) == name
    force = drawn["curves"]["force"]
    assert len(force["t"]) <= 600
    assert max(force["high"]) == pytest.approx(45.0), "no peak is thinned away"
    assert drawn["curves"]["range"]["low"][-1] == pytest.approx(1.0, abs=0.01)
    (mark,) = drawn["marks"]
    assert mark["event"] == "fall"
    assert mark["t"] == pytest.approx(25.0, abs=1.0)


def test_what_is_taken_away_is_a_recording_set(
    belt: tuple[Path, str, httpx.Client], tmp_path: Path
) -> None:
    _, name, http = belt
    answer = http.get(f"/api/v1/recordings/{name}/download")
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}.zip"'
    zipfile.ZipFile(io.BytesIO(answer.content)).extractall(tmp_path)
    assert [entry.trial for entry in RecordingSet(tmp_path / name).entries] == [name]


TRAPS = (
    "..", ".", "%2e%2e", "..%2f..%2fstore.sqlite", "%2e%2e%2ftokens", "....//", "a%00b", "%5c..%5c",
    "/etc/passwd", "%2fetc%2fpasswd", "index.csv", "link", ".hidden", "x" * 300, "\u202e",
)  # fmt: skip


@pytest.mark.parametrize("name", TRAPS)
@pytest.mark.parametrize("tail", ["", "/download"])
def test_no_name_leads_out_of_the_folder(
    belt: tuple[Path, str, httpx.Client], name: str, tail: str
) -> None:
    folder, kept, http = belt
    secret = folder.parent / "secret"
    secret.mkdir(exist_ok=True)
    (secret / "index.csv").write_text("code,n,fs,note\nSECRET,1,1,SECRET\n")
    if not (folder / "link").exists():
        (folder / "link").symlink_to(secret)
        (folder / ".hidden").mkdir()
    answer = http.get(f"/api/v1/recordings/{name}{tail}")
    if answer.status_code == 200:  # the path was shortened to the list itself by the client
        assert [row["name"] for row in answer.json().get("recordings", [])] in ([kept], [])
    assert "SECRET" not in answer.text
    assert "SQLite" not in answer.text


@pytest.mark.parametrize(
    "spoil",
    [
        lambda f: next(f.glob("*.npz")).write_bytes(b"PK\x03\x04 no archive"),
        lambda f: next(f.glob("*.npz")).write_bytes(next(f.glob("*.npz")).read_bytes()[:5000]),
        lambda f: next(f.glob("*.npz")).unlink(),
        lambda f: np.savez(next(f.glob("*.npz")), x_t=np.array([object()])),
        lambda f: np.savez(next(f.glob("*.npz")), x_t=np.zeros(0)),
        lambda f: (f / "index.csv").write_bytes(b"\xff\xfe\x00"),
        lambda f: (f / "index.csv").write_text("code\n"),
    ],
)
def test_a_spoilt_recording_is_one_line(tmp_path: Path, spoil: object) -> None:
    (tmp_path / "run").mkdir()
    device = Device(tmp_path)
    device.stop()
    name = keep(tmp_path / "recordings", device, "test:1:a1")
    spoil(tmp_path / "recordings" / name)
    recordings = Recordings(tmp_path / "recordings")
    with pytest.raises(UnknownRecordingError, match="cannot be read"):
        recordings.about(name)
        recordings.signals(name)


def test_a_broken_one_is_a_problem_and_the_others_are_listed(
    belt: tuple[Path, str, httpx.Client],
) -> None:
    folder, name, http = belt
    (folder / "broken").mkdir()
    assert http.get("/api/v1/recordings/broken").status_code == 404
    assert name in http.get("/api/v1/recordings").text
    (folder / "broken").rmdir()
