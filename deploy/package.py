"""Builds what a belt is given: a wheel for arm64, and a Debian package that needs no PyPI.

    ./dev package [--json FILE]

The wheel is built in a Debian root of that architecture, so that its C core is compiled there (on
another machine by way of qemu). The package holds it with every wheel it needs, for the Pythons of
Debian 12 and 13, and the installer; it puts nothing in place itself: `deploy/install.sh` does that,
and `rearguard update` after it.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from deploy.roots import ROOT, Machine, NoRootError, fresh

DIST = ROOT / "dist"
ARCH = "arm64"
CPU = {ARCH: "aarch64", "amd64": "x86_64"}  # by the name that Debian has for it
PYTHONS = {"bookworm": "3.11", "trixie": "3.13"}  # the first builds the wheel: newer ones run it
PLATFORMS = ("manylinux2014", "manylinux_2_17", "manylinux_2_28", "manylinux_2_34")
SHARE = "usr/share/rearguard"
MAINTAINER = "Rearguard <rearguard@localhost>"
SAID_AFTER = """#!/bin/sh
# A release is put in place by a person who stands beside the belt, not by an upgrade at night.
if [ "$1" = configure ]; then
    if [ -e /opt/rearguard/current ]; then
        echo "rearguard: now: sudo rearguard update /usr/share/rearguard/wheels/rearguard-*.whl"
    else
        echo "rearguard: now: sudo /usr/share/rearguard/deploy/install.sh"
    fi
fi
"""
SAID_BEFORE = """#!/bin/sh
if [ "$1" = remove ] && [ -e /opt/rearguard/current ]; then
    echo "rearguard: the belt goes on guarding; to take it off:" \\
        "sudo /opt/rearguard/current/share/rearguard/deploy/uninstall.sh"
fi
"""


def wheel(machine: Machine, into: Path) -> Path:
    """This project as a wheel of the machine's architecture."""
    machine.copy_source()
    machine.shell(
        "apt-get update -qq; DEBIAN_FRONTEND=noninteractive apt-get install -y -qq"
        " --no-install-recommends python3-venv python3-dev gcc libc6-dev >/dev/null;"
        " python3 -m venv /build;"
        " /build/bin/pip wheel -q --disable-pip-version-check --no-deps -w /out /src"
    )
    (built,) = machine.file("/out").glob("*.whl")
    return Path(shutil.copy(built, into))


def pins(machine: Machine, into: Path) -> None:
    """lgpio as a wheel of the machine's Python, which has none to download."""
    machine.shell(
        "apt-get update -qq; DEBIAN_FRONTEND=noninteractive apt-get install -y -qq"
        " --no-install-recommends python3-venv python3-dev gcc libc6-dev swig >/dev/null;"
        " python3 -m venv /build;"
        " PYPI=1 /build/bin/pip wheel -q --disable-pip-version-check --no-deps -w /out"
        " 'lgpio>=0.2.2'"
    )
    for built in machine.file("/out").glob("*.whl"):
        shutil.copy(built, into)


def wheels_needed(built: Path, into: Path, arch: str) -> None:
    """What the wheel needs on the belt, for each Python there."""
    for python in PYTHONS.values():
        tag = f"cp{python.replace('.', '')}"
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check",
             "--only-binary=:all:", "--find-links", into, "--dest", into,
             "--python-version", python, "--implementation", "cp",
             "--abi", tag, "--abi", "abi3", "--abi", "none",
             *(f"--platform={p}_{CPU[arch]}" for p in (*PLATFORMS, "linux")), f"{built}[pi]"],
            check=True,
        )  # fmt: skip


def package(version: str, wheels: Path, into: Path, arch: str = ARCH) -> Path:
    """The Debian package, with those wheels and the installer in it."""
    with tempfile.TemporaryDirectory(prefix="rearguard-deb-") as name:
        root = Path(name)
        root.chmod(0o755)
        share = root / SHARE
        shutil.copytree(wheels, share / "wheels")
        shutil.copytree(ROOT / "systemd", share / "systemd")
        (share / "deploy").mkdir()
        for file in [*(ROOT / "deploy").glob("*.sh"), *(ROOT / "deploy").glob("*.toml"),
                     ROOT / "deploy" / "mosquitto.acl"]:  # fmt: skip
            shutil.copy2(file, share / "deploy")
        size = sum(f.stat().st_size for f in share.rglob("*") if f.is_file()) // 1024
        control = root / "DEBIAN"
        control.mkdir()
        (control / "control").write_text(
            f"Package: rearguard\nVersion: {version}\nArchitecture: {arch}\n"
            f"Maintainer: {MAINTAINER}\nSection: misc\nPriority: optional\n"
            f"Installed-Size: {size}\n"
            "Depends: python3 (>= 3.11), python3-venv, systemd, openssl\n"
            "Recommends: mosquitto\n"
            "Description: A belt that looks behind people who walk backward\n"
            " Its program, its service and its installer, for a Raspberry Pi at the waist.\n"
        )
        for script, text in (("postinst", SAID_AFTER), ("prerm", SAID_BEFORE)):
            (control / script).write_text(text)
            (control / script).chmod(0o755)
        deb = into / f"rearguard_{version}_{arch}.deb"
        subprocess.run(
            ["dpkg-deb", "--root-owner-group", "-Zxz", "-z1", "--build", root, deb],
            check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
    return deb


class Built(NamedTuple):
    wheel: Path
    deb: Path
    wheels: int  # in the package: this one and all it needs


def build(into: Path, arch: str = ARCH) -> Built:
    """Both, from nothing. Raises NoRootError."""
    into.mkdir(exist_ok=True)
    text = (ROOT / "pyproject.toml").read_text()
    (version,) = re.findall(r'^version = "(.+)"', text, re.MULTILINE)
    with tempfile.TemporaryDirectory(prefix="rearguard-wheels-") as name:
        wheels = Path(name)
        with fresh("bookworm", arch) as machine:
            built = wheel(machine, wheels)
        with fresh("trixie", arch) as machine:
            pins(machine, wheels)
        wheels_needed(built, wheels, arch)
        return Built(
            Path(shutil.copy(built, into)),
            package(version, wheels, into, arch),
            len(list(wheels.glob("*.whl"))),
        )


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev package", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE")
    args = parser.parse_args()
    try:
        built = build(DIST)
    except NoRootError as error:
        sys.stderr.write(f"package: {error}\n")
        return 2
    figures = {
        "wheel": built.wheel.name, "deb": built.deb.name, "wheels": built.wheels,
        "deb_mb": round(built.deb.stat().st_size / 1e6, 1),
    }  # fmt: skip
    if args.json:
        args.json.write_text(json.dumps(figures) + "\n")
    sys.stdout.write(
        f"dist/{built.wheel.name}\n"
        f"dist/{built.deb.name}: {figures['deb_mb']} MB, {built.wheels} wheels in it\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
