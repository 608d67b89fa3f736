"""The installer, run from nothing on Debian: what it makes works, twice changes nothing, and goes.

    ./dev test --install [--only SUITE-ARCH] [--json FILE]

The second time it comes from the Debian package, which is made first for each architecture. Those
that need no emulation are booted as well, without a bus and without pins: that the units guard
where there are some is another proof.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from deploy.package import SHARE, build
from deploy.roots import Machine, NoRootError, fresh
from tests.install.boot import EXPECTED, boot
from tests.install.following import following

NATIVE = "arm64" if os.uname().machine == "aarch64" else "amd64"
KINDS = [f"{s}-{a}" for a in sorted({NATIVE, "arm64"}) for s in ("bookworm", "trixie")]
CONFIG = '[belt]\nname = "belt7"\n\n[wearer]\nname = "Grace"\n'
OURS = "/var/lib/rearguard"
BOOT = "dtparam=audio=on\n"  # what a Pi's configuration may hold already

BROKER_TALK = r"""
mkdir -p /run/mosquitto && chown mosquitto /run/mosquitto
mosquitto -c /etc/mosquitto/mosquitto.conf >/tmp/broker.log 2>&1 &
cat >/tmp/talk.py <<'P'
import socket, ssl, subprocess, sys, time
import paho.mqtt.client as mqtt
def heard(user, password, topic, tls=True, seconds=20.0):
    # what a client hears first on a topic; its refusal as a word
    found = []
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    if user:
        client.username_pw_set(user, password)
    client.tls_set(ca_certs="/etc/rearguard/tls/ca.crt")
    client.on_connect = lambda c, u, f, code, p: (
        found.append("refused") if code.is_failure else c.subscribe(topic, 1))
    client.on_message = lambda c, u, m: found.append(m.payload.decode())
    end = time.monotonic() + seconds
    while True:  # emulated, a broker takes its time to come up
        try:
            client.connect("127.0.0.1", 8883)
            break
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
    while not found and time.monotonic() < end:
        client.loop(0.1)
    return found[0] if found else "nothing"
secret = lambda user: open(f"/etc/rearguard/secrets/{user}").read().strip()
print("anonymous:", heard("", "", "rearguard/#"))
print("wrong:", heard("watcher", "guess", "rearguard/#"))
service = subprocess.Popen(
    ["setpriv", "--reuid=rearguard-service", "--regid=rearguard-service", "--init-groups",
     "--no-new-privs", "rearguard", "serve", "--config", "/etc/rearguard/rearguard.toml"])
try:
    print("status:", heard("watcher", secret("watcher"), "rearguard/belt7/status", seconds=90.0))
finally:
    service.terminate()
    print("service ended:", service.wait(30))
P
/opt/rearguard/current/bin/python /tmp/talk.py || { cat /tmp/broker.log; exit 1; }
"""


class Proof:
    """Checks of one machine, each said as it is made."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.passed, self.failed = 0, 0
        self.seconds = 0.0  # until the last check
        self._begun = time.monotonic()
        self._told = ""  # so that one output is shown for all that it fails

    def holds(self, what: str, so: bool, said: str = "") -> None:
        self.passed += so
        self.failed += not so
        self.seconds = time.monotonic() - self._begun
        told = [] if so or said == self._told else said.strip().splitlines()[-40:]
        self._told = said if told else self._told
        tail = "".join(f"\n      {line}" for line in told)
        sys.stdout.write(f"{self.seconds:5.0f} s  {'ok  ' if so else 'FAIL'} {what}{tail}\n")
        sys.stdout.flush()


def traces(machine: Machine) -> list[str]:
    """Whatever bears our name, or was added by us, outside of the source and the data."""
    found = machine.shell(
        f"find / -xdev \\( -path /src -o -path /next -o -path /proc -o -path /dev -o -path /tmp"
        f" -o -path {OURS} -o -path /proof -o -path /var/cache/pip \\) -prune"
        " -o -iname '*rearguard*' -print;"
        " grep -H rearguard /etc/passwd /etc/group /etc/shadow /etc/gshadow"
        " /boot/firmware/config.txt || true"
    )
    return [line for line in found.splitlines() if line != OURS]


def install(machine: Machine, *more: str) -> subprocess.CompletedProcess[str]:
    return machine.run("/src/deploy/install.sh", "--config", "/proof/belt.toml", *more)


def prove(kind: str, machine: Machine, deb: Path) -> Proof:
    """Everything of one machine; the second time it is installed from `deb`, the package."""
    proof = Proof(kind)
    machine.copy_source()
    machine.file("/proof/belt.toml").write_text(CONFIG)
    machine.file("/boot/firmware").mkdir(parents=True, exist_ok=True)
    machine.file("/boot/firmware/config.txt").write_text(BOOT)

    dry = install(machine, "--dry-run")
    proof.holds("a dry run says what it would do", dry.returncode == 0, dry.stdout)
    proof.holds("and does nothing", traces(machine) == [], "\n".join(traces(machine)))

    first = install(machine)
    proof.holds("installed from nothing", first.returncode == 0, first.stdout)
    if first.returncode:
        return proof
    _installed(machine, proof)

    again = install(machine)
    changed = [line for line in again.stdout.splitlines() if line.startswith("   ") and any(
        word in line for word in ("wrote", "made", "added"))]  # fmt: skip
    proof.holds(
        "run again, it changes nothing", again.returncode == 0 and not changed, again.stdout
    )

    talk = machine.run("sh", "-c", BROKER_TALK)
    for line in ("anonymous: refused", "wrong: refused", "status: offline", "service ended: 0"):
        proof.holds(f"broker and service: {line}", line in talk.stdout.splitlines(), talk.stdout)

    if kind.endswith(NATIVE):  # emulated, a boot takes too long to mean anything
        following(machine)
        said, log = boot(machine)
        for number, line in enumerate(EXPECTED):
            proof.holds(f"booted: {line}", said[number : number + 1] == [line],
                        "\n".join([*said, log]))  # fmt: skip

    machine.shell(
        f"install -o rearguard-device -g rearguard -D /dev/null {OURS}/wearers/Grace/plan"
    )
    gone = machine.run("/src/deploy/uninstall.sh")
    left = traces(machine)
    proof.holds("taken off, nothing is left", gone.returncode == 0 and left == [],
                gone.stdout + "\n".join(left))  # fmt: skip
    proof.holds("the Pi's own configuration is as before",
                machine.file("/boot/firmware/config.txt").read_text() == BOOT)  # fmt: skip
    kept = machine.shell(f"stat -c '%U %a' {OURS}/wearers/Grace/plan {OURS}/store.sqlite")
    private = all(line in ("root 700", "root 600") for line in kept.splitlines())
    proof.holds("the wearer's data are there, for root alone", private, kept)

    _from_package(machine, proof, deb)
    back = machine.shell(f"stat -c '%U' {OURS}/wearers/Grace/plan {OURS}/store.sqlite")
    proof.holds("installed again, they are their users' own",
                back.split() == ["rearguard-device", "rearguard-service"], back)  # fmt: skip
    machine.run("/opt/rearguard/current/share/rearguard/deploy/uninstall.sh", "--purge")
    machine.shell("apt-get purge -y -qq rearguard")
    proof.holds("purged, they are gone", not machine.file(OURS).exists() and not traces(machine))
    return proof


def _from_package(machine: Machine, proof: Proof, deb: Path) -> None:
    """The same belt from the Debian package: its own installer, and every wheel in it."""
    shutil.copy(deb, machine.file("/proof"))
    got = machine.run("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y", "-qq",
                      "--no-install-recommends", f"/proof/{deb.name}")  # fmt: skip
    proof.holds(
        "the Debian package says what comes next, and puts nothing in place",
        got.returncode == 0
        and f"/{SHARE}/deploy/install.sh" in got.stdout
        and not machine.file("/opt/rearguard").exists(),
        got.stdout,
    )
    done = machine.run(f"/{SHARE}/deploy/install.sh", "--config", "/proof/belt.toml")
    proof.holds("installed from it", done.returncode == 0, done.stdout)
    _installed(machine, proof)


def _installed(machine: Machine, proof: Proof) -> None:
    def said(what: str, script: str, so: Callable[[str], bool]) -> None:
        done = machine.run("sh", "-ec", script)
        proof.holds(what, done.returncode == 0 and so(done.stdout), done.stdout)

    said("the command runs, its core and its pins load",
         "rearguard feel stop >/dev/null && /opt/rearguard/current/bin/python -c '"
         "import service.__main__, lgpio, smbus2; from device.core import Core; Core(104.0)'",
         lambda said: said == "")  # fmt: skip
    said("units are sound", "systemd-analyze verify --man=no"
         " /etc/systemd/system/rearguard-*.service 2>&1 | grep rearguard"
         " | grep -v RestartMode || true",  # a key that systemd 252 does not know
         lambda said: said == "")  # fmt: skip
    said("units are enabled", "systemctl is-enabled rearguard-device rearguard-service mosquitto",
         lambda said: said.split() == ["enabled"] * 3)  # fmt: skip
    said("secrets are nobody else's",
         "stat -c '%a %U' /etc/rearguard/secrets/* /etc/rearguard/tls/ca.key"
         " /etc/mosquitto/rearguard/server.key",
         lambda said: sorted(set(said.splitlines()))
         == ["600 rearguard-service", "600 root", "640 root"])  # fmt: skip
    said("no password is in the clear where the broker reads it",
         "! grep -qFf /etc/rearguard/secrets/mqtt /etc/mosquitto/rearguard/passwords",
         lambda said: True)  # fmt: skip
    said("I2C is on at 400 kHz", "cat /boot/firmware/config.txt",
         lambda said: said.startswith(BOOT) and "=on,i2c_arm_baudrate=400000" in said)  # fmt: skip
    said("the configuration names the broker made here", "cat /etc/rearguard/rearguard.toml",
         lambda said: said.startswith(CONFIG) and 'username = "belt7"' in said)  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev test --install", description=__doc__)
    parser.add_argument("--only", choices=KINDS, action="append", help="default: all of them")
    parser.add_argument("--json", type=Path, metavar="FILE")
    args = parser.parse_args()
    kinds, proofs = args.only or KINDS, []
    try:
        with tempfile.TemporaryDirectory(prefix="rearguard-package-") as name:
            archs = {kind.split("-")[1] for kind in kinds}
            debs = {arch: build(Path(name), arch).deb for arch in archs}
            for kind in kinds:
                sys.stdout.write(f"{kind}\n")
                suite, arch = kind.split("-")
                with fresh(suite, arch) as machine:
                    proofs.append(prove(kind, machine, debs[arch]))
    except NoRootError as error:
        sys.stderr.write(f"install: {error}\n")
        return 2
    figures = {
        p.kind: {"passed": p.passed, "failed": p.failed, "s": round(p.seconds)} for p in proofs
    }
    if args.json:
        args.json.write_text(json.dumps(figures) + "\n")
    passed, failed = sum(p.passed for p in proofs), sum(p.failed for p in proofs)
    sys.stdout.write(f"{passed} passed, {failed} failed\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
