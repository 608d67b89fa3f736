"""The release after the one that is installed, for a belt to be updated to."""

from __future__ import annotations

from deploy.roots import Machine

VERSION = "0.1.1"


def following(machine: Machine) -> None:
    """Its wheel in /proof/wheels, and every wheel it needs beside it: no network is asked then."""
    machine.shell(
        "cp -r /src /next"
        f" && sed -i 's/^version = .*/version = \"{VERSION}\"/' /next/pyproject.toml"
        " && /opt/rearguard/current/bin/python -m pip wheel -q -w /proof/wheels '/next[pi]'"
    )
