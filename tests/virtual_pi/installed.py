"""A belt as its installer leaves it, to be booted: its root, its card, and what looks on."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

from deploy.roots import Machine, NoRootError
from tests.install.following import following
from tests.virtual_pi.machine import HERE, OWN_TIME, powered

PROOF = "/opt/proof"  # where this package lies there, beside the installed device
BELT = '[belt]\nname = "belt7"\n'
UNIT = """[Unit]
Description=The proof
After=rearguard-device.service
[Service]
WorkingDirectory=/opt/proof
ExecStart=/opt/rearguard/current/bin/python -m tests.virtual_pi.booted
StandardOutput=append:/srv/proof.log
StandardError=inherit
[Install]
WantedBy=multi-user.target
"""
LOG = """[Unit]
Description=The log, for whoever looks into it afterwards
[Service]
ExecStart=/bin/journalctl -f -n all -o short-monotonic
StandardOutput=append:/srv/log.txt
[Install]
WantedBy=multi-user.target
"""
BOOT_S = 600.0  # s at most of the host's time until a boot has said what it is asked for
CARD_MB = 64


class Card:
    """The belt's data: an ext4 file system in a file, that outlives power cuts."""

    def __init__(self, machine: Machine, folder: Path) -> None:
        self.file = folder / "card"
        with self.file.open("wb") as out:
            out.truncate(CARD_MB << 20)
        data = machine.file("/var/lib/rearguard")
        subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", data, self.file], check=True)
        # what mke2fs takes from a folder is its content; its owner and mode are its own
        owner = data.stat()
        for field, value in (("uid", owner.st_uid), ("gid", owner.st_gid), ("mode", owner.st_mode)):
            request = f"set_inode_field / {field} {value}"
            subprocess.run(["debugfs", "-w", "-R", request, self.file], check=True,
                           capture_output=True)  # fmt: skip


class Boot:
    """One boot's words, as they come."""

    def __init__(self, machine: Machine, card: Card, proof: str, scene: str, folder: Path) -> None:
        folder.mkdir(parents=True)
        self._said, self._folder = folder / "said.jsonl", folder
        self.power = powered(
            [OWN_TIME, "root=/dev/root", "rootfstype=hostfs", "ro", f"rootflags={machine.folder}",
             f"init={PROOF}/tests/virtual_pi/init-systemd", f"ubda={card.file}",
             f"results={folder}", f"scene={scene}", f"proof={proof}",
             "systemd.mask=serial-getty@.service", "systemd.mask=getty.target"],
            folder / "console.log", "1G",
        )  # fmt: skip

    def said(self) -> list[dict[str, Any]]:
        text = self._said.read_text() if self._said.exists() else ""
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def word(self, what: str) -> dict[str, Any]:
        """What was said first under this name, once it is. Raises TimeoutError."""
        end = time.monotonic() + BOOT_S
        while time.monotonic() < end:
            if found := [it for it in self.said() if it["what"] == what]:
                return found[0]
            time.sleep(0.1)
        raise TimeoutError(
            f"a boot has not said {what!r} within {BOOT_S:g} s: {self._last_words()}"
        )

    def _last_words(self) -> str:
        for name in ("proof.log", "player.log", "log.txt", "console.log"):
            file = self._folder / name
            if file.exists() and (lines := file.read_text(errors="replace").strip().splitlines()):
                return f"{name}: {lines[-1]}"
        return "it said nothing"


def installed(machine: Machine) -> None:
    """As its installer leaves it, the next release, and what looks on. Raises NoRootError."""
    machine.copy_source()
    machine.file("/proof/belt.toml").write_text(BELT)
    done = machine.run("/src/deploy/install.sh", "--config", "/proof/belt.toml")
    if done.returncode:
        raise NoRootError(f"install.sh ended with {done.returncode}: {done.stdout[-2000:]}")
    following(machine)
    watching(machine)


def watching(machine: Machine) -> None:
    """What looks on, and what plays the chips, in a folder and units of their own."""
    place = machine.file(f"{PROOF}/tests/virtual_pi")
    shutil.copytree(HERE, place, ignore=shutil.ignore_patterns("kernel", "__pycache__"))
    (place.parent / "__init__.py").touch()
    for name, text in (("proof", UNIT), ("log", LOG)):
        unit = machine.file(f"/etc/systemd/system/{name}.service")
        unit.write_text(text)
        wants = unit.parent / "multi-user.target.wants"
        (wants / unit.name).symlink_to(f"../{unit.name}")
