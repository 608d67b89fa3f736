"""A root file system with Home Assistant in it, made once and kept in the user's cache.

Home Assistant needs a newer Python than Debian 12 has, so it lives in a Debian 13 of its own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zlib
from pathlib import Path

VERSION = "2026.2.3"  # the last for Python 3.13, which is Debian 13's
SUITE = "trixie"
DEBIAN = "http://deb.debian.org/debian"
PACKAGES = "ca-certificates,gcc,libc6-dev,python3,python3-dev,python3-venv"
PYTHON = "/opt/home-assistant/bin/python"
_SITE = "/opt/home-assistant/lib/python3.13/site-packages/homeassistant"
# What its pages, its history, and its integrations mqtt and mobile_app with all that they import,
# want besides.
NEEDED = (
    "av", "fnv-hash-fast", "ha-ffmpeg", "hassil", "home-assistant-frontend",
    "home-assistant-intents", "mutagen", "numpy", "paho-mqtt", "Pillow", "psutil-home-assistant",
    "PyNaCl", "PyTurboJPEG", "SQLAlchemy",
)  # fmt: skip
_PASSED_ON = ("http_proxy", "https_proxy", "no_proxy", "PIP_INDEX_URL")


def as_root(*words: str | Path) -> list[str]:
    """A command that only root may give."""
    return [*([] if os.geteuid() == 0 else ["sudo", "-n"]), *map(str, words)]


def inside(root: Path, *words: str) -> list[str]:
    """A command in the root file system, with nothing of this machine's environment."""
    passed = [f"{key}={os.environ[key]}" for key in _PASSED_ON if key in os.environ]
    return as_root(
        "chroot",
        root,
        "env",
        "-i",
        "PATH=/usr/bin:/bin",
        "HOME=/root",
        "LANG=C.UTF-8",
        *passed,
        *words,
    )


def prepared() -> Path:
    """The root file system; makes it when it is not there. Raises CalledProcessError."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rearguard"
    root = cache / f"home-assistant-{VERSION}-{zlib.crc32(' '.join(NEEDED).encode()):x}"
    if root.is_dir():
        return root
    cache.mkdir(parents=True, exist_ok=True)
    part = cache / f"{root.name}.part"
    # a build that was killed may have left /proc mounted in it
    subprocess.run(as_root("rm", "-rf", "--one-file-system", part), check=True)
    _say(f"making {root} (once, some minutes)")
    log = cache / "home-assistant.log"
    with log.open("w") as out:
        try:
            _make(part, out)
        except subprocess.CalledProcessError:
            _say(f"it failed; what was said stands in {log}")
            raise
    part.rename(root)
    return root


def _make(root: Path, out: object) -> None:
    def run(words: list[str]) -> None:
        subprocess.run(words, check=True, stdout=out, stderr=subprocess.STDOUT)

    run(as_root("mmdebstrap", "--mode=root", "--variant=minbase", f"--include={PACKAGES}",
                SUITE, root, DEBIAN))  # fmt: skip
    for file in ("/etc/resolv.conf", "/etc/hosts", "/etc/ssl/certs/ca-certificates.crt"):
        if Path(file).exists():
            run(as_root("cp", "-L", file, f"{root}{file}"))
    run(inside(root, "python3", "-m", "venv", "/opt/home-assistant"))
    pip = (PYTHON, "-m", "pip", "install", "-q", "--no-cache-dir", "--no-compile")
    run(inside(root, *pip, "--no-deps", f"homeassistant=={VERSION}"))
    # its own list of versions that go together; without it pip searches for an hour
    pinned = ("--prefer-binary", "-c", f"{_SITE}/package_constraints.txt")
    run(inside(root, *pip, *pinned, f"homeassistant=={VERSION}", *NEEDED))
    run(as_root("rm", "-rf", root / "var/lib/apt/lists", root / "var/cache/apt"))


def _say(words: str) -> None:
    sys.stderr.write(f"home-assistant: {words}\n")


def removed(folder: Path) -> None:
    """Take a folder away that root wrote in."""
    if os.geteuid() == 0:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        subprocess.run(as_root("rm", "-rf", folder), check=False)
