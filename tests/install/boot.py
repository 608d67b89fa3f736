"""An installed root, booted: what its units do where there is no bus and no pin.

That is a belt whose sensors are gone: the device must be given up on in a told state and tried
again, while the service lives in its sandbox.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from deploy.roots import Machine

SECONDS = 600  # for all of it, on a machine that has other things to do
UNIT = """[Unit]
Description=What the installer's proof wants to know
[Service]
ExecStart=/bin/sh /proof/boot.sh
"""
EXPECTED = """the service is ready
the device was given up on, and the wearer is told
5
the service was killed and is back
the service was stopped: the watchdog ended it, and it is back
the device is tried again
and given up on again
an update that does not guard ended with 1
did not guard within 30 s
1
the old release is back
rearguard-device does not run
rearguard-not-guarding does not run
""".splitlines()


def boot(machine: Machine) -> tuple[list[str], str]:
    """What the script inside said, line by line; and the units' log."""
    root = machine.folder
    shutil.copy(Path(__file__).with_name("boot.sh"), root / "proof" / "boot.sh")
    wants = root / "etc" / "systemd" / "system" / "multi-user.target.wants"
    (root / "etc" / "systemd" / "system" / "proof.service").write_text(UNIT)
    wants.mkdir(exist_ok=True)
    (wants / "proof.service").symlink_to("../proof.service")
    try:
        subprocess.run(
            ["systemd-nspawn", "-q", "-D", root, "--register=no", "--keep-unit",
             "--private-network", "-b", "systemd.unit=multi-user.target"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            timeout=SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return ["it did not end by itself"], _read(machine, "proof.txt")
    finally:
        (wants / "proof.service").unlink()
        (root / "etc" / "systemd" / "system" / "proof.service").unlink()
    return _read(machine, "proof.txt").splitlines(), _read(machine, "proof.log")


def _read(machine: Machine, name: str) -> str:
    file = machine.file(f"/proof/{name}")
    return file.read_text(errors="replace") if file.exists() else f"{name} is not there\n"
