"""The Debian package, made of small wheels: what is in it, and that it can be installed from."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from deploy.package import SHARE, package
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("deb")
    wheels = folder / "wheels"
    wheels.mkdir()
    (wheels / "rearguard-0.1.0-cp311-abi3-linux_aarch64.whl").write_bytes(b"wheel")
    deb = package("0.1.0", wheels, folder)
    assert deb.name == "rearguard_0.1.0_arm64.deb"
    subprocess.run(["dpkg-deb", "--raw-extract", deb, folder / "root"], check=True)
    return folder / "root"


def test_all_that_the_installer_lays_is_in_it(unpacked: Path) -> None:
    share = unpacked / SHARE
    said = subprocess.run(
        ["bash", "-euc", '. "$0"; static_files', share / "deploy" / "places.sh"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    sources = [line.split()[0] for line in said.stdout.splitlines()]
    assert len(sources) > 5
    for source in sources:
        assert (share / source).read_bytes() == (ROOT / source).read_bytes()
    assert (share / "deploy" / "mosquitto.acl").exists()
    assert (share / "systemd" / "60-rearguard.rules").exists()


def test_the_installer_in_it_takes_the_wheels_in_it(unpacked: Path) -> None:
    dry = subprocess.run(
        [unpacked / SHARE / "deploy" / "install.sh", "--dry-run",
         "--config", ROOT / "deploy" / "rearguard.toml"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert dry.returncode == 0, dry.stderr
    (line,) = (line for line in dry.stdout.splitlines() if "pip install" in line)
    assert f"--no-index --find-links {unpacked / SHARE / 'wheels'} rearguard[pi]" in line
    assert "gcc" not in dry.stdout, "nothing is built on the belt"


def test_it_puts_nothing_in_place_by_itself(unpacked: Path) -> None:
    assert {path.name for path in unpacked.iterdir()} == {"DEBIAN", "usr"}
    for script in ("postinst", "prerm"):
        text = (unpacked / "DEBIAN" / script).read_text()
        assert "systemctl" not in text
        done = subprocess.run(
            ["sh", unpacked / "DEBIAN" / script, "configure"], capture_output=True, text=True,
            check=True,
        )  # fmt: skip
        assert script != "postinst" or "install.sh" in done.stdout or "update" in done.stdout


def test_every_file_of_the_units_is_laid_or_used() -> None:
    """A unit that nobody installs helps nobody."""
    text = "".join(file.read_text() for file in (ROOT / "deploy").glob("*.sh"))
    for file in (ROOT / "systemd").iterdir():
        assert file.name == "README.md" or f"systemd/{file.name}" in text, file.name
