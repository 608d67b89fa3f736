"""Debian roots to install into: made once, kept outside of the clone, used as copies."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rearguard"
BINFMT = Path("/proc/sys/fs/binfmt_misc")
AARCH64 = (  # as binfmt_misc wants it: magic, mask, interpreter, flags
    rb":qemu-aarch64:M::\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00"
    rb":\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff"
    rb":/usr/bin/qemu-aarch64-static:OCF"
)
SYSTEM = "ca-certificates,kmod,openssl,python3,systemd,udev"  # what every Pi has that has booted
INSIDE = r"""
mount -t proc proc "$1/proc"
mount --rbind /dev "$1/dev"
mkdir -p "$1/var/cache/pip" && mount --bind "$2" "$1/var/cache/pip"
[ -z "$PIP_CERT" ] || { touch "$1/run/ca.pem" && mount --bind "$PIP_CERT" "$1/run/ca.pem"; }
root=$1; shift 2
exec chroot "$root" "$@"
"""


class NoRootError(Exception):
    """Why there is no root, in one line."""


def archive(suite: str, arch: str) -> Path:
    """The smallest Debian that could boot, as a tar file; made the first time."""
    kept = CACHE / "roots" / f"{suite}-{arch}.tar"
    if kept.exists():
        return kept
    kept.parent.mkdir(parents=True, exist_ok=True)
    part = kept.with_suffix(".part.tar")
    sys.stderr.write(f"install: making a {suite} root for {arch} (once)\n")
    made = subprocess.run(
        ["mmdebstrap", "--quiet", "--variant=minbase", f"--arch={arch}",
         f"--include={SYSTEM}", "--skip=cleanup/apt/lists", suite, str(part)],
        check=False,
    )  # fmt: skip
    if made.returncode:
        raise NoRootError(f"mmdebstrap made no {suite} for {arch}: see above")
    part.rename(kept)
    return kept


def emulated() -> None:
    """Lets this machine run arm64 programs. Raises NoRootError."""
    if os.uname().machine == "aarch64":
        return
    try:
        if not (BINFMT / "register").exists():
            subprocess.run(["mount", "-t", "binfmt_misc", "binfmt_misc", BINFMT], check=True)
        if not (BINFMT / "qemu-aarch64").exists():
            (BINFMT / "register").write_bytes(AARCH64)
    except (OSError, subprocess.CalledProcessError) as error:
        raise NoRootError(f"arm64 programs cannot be run here: {error}") from error


class Machine:
    """A root as a machine that is switched off: commands run in it one by one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, *words: str, check: bool = False) -> subprocess.CompletedProcess[str]:
        """One command, its output and errors together. What it starts ends with it."""
        pip = CACHE / "pip"
        pip.mkdir(parents=True, exist_ok=True)
        kept = {k: v for k, v in os.environ.items() if k.lower().endswith("_proxy")}
        cert = os.environ.get("PIP_CERT", "")
        done = subprocess.run(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child",
             "sh", "-ec", INSIDE, "sh", str(self.folder), str(pip),
             "env", "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
             "HOME=/root", "LC_ALL=C.UTF-8", *(["PIP_CERT=/run/ca.pem"] if cert else []),
             "PIP_CACHE_DIR=/var/cache/pip", "PIP_DEFAULT_TIMEOUT=180",
             *(f"{k}={v}" for k, v in kept.items()), *words],
            env={**os.environ, "PIP_CERT": cert}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        if check and done.returncode:
            raise AssertionError(f"{' '.join(words)} ended with {done.returncode}:\n{done.stdout}")
        return done

    def shell(self, script: str) -> str:
        """A script that must succeed; what it said."""
        return self.run("sh", "-ec", script, check=True).stdout

    def file(self, path: str) -> Path:
        return self.folder / path.lstrip("/")

    def copy_source(self) -> None:
        """The project as a stranger has it, in /src: what git keeps, and nothing built; and /proof,
        for what is needed beside it."""
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT, check=True, capture_output=True,
        )  # fmt: skip
        packed = subprocess.run(
            ["tar", "-c", "--null", "-T", "-"], cwd=ROOT, check=True,
            input=listed.stdout, capture_output=True,
        )  # fmt: skip
        self.file("/src").mkdir()
        self.file("/proof").mkdir()
        subprocess.run(["tar", "-x", "-C", self.file("/src")], check=True, input=packed.stdout)


@contextlib.contextmanager
def fresh(suite: str, arch: str) -> Iterator[Machine]:
    """A new machine of that kind, gone afterwards. Raises NoRootError."""
    if arch == "arm64":
        emulated()
    packed = archive(suite, arch)
    with tempfile.TemporaryDirectory(prefix="rearguard-root-") as name:
        folder = Path(name)
        subprocess.run(["tar", "-xf", packed, "-C", folder], check=True)
        folder.chmod(0o755)
        (folder / "etc" / "resolv.conf").unlink(missing_ok=True)
        (folder / "etc" / "resolv.conf").write_bytes(Path("/etc/resolv.conf").read_bytes())
        (folder / "etc" / "hostname").write_text("belt7\n")
        fast = folder / "etc" / "dpkg" / "dpkg.cfg.d" / "fast"
        fast.write_text("force-unsafe-io\n")  # nobody keeps this root
        yield Machine(folder)
