"""What the two processes cost, beside a minimal FastAPI application and a minimal paho client.

The service serves a simulated belt that walks, tells its state once a second to a real broker with
a subscriber, and has one page open (its event stream is read). Measured from /proc, of the
processes as a whole: resident memory at the end, processor time over the while, and the time from a
start to the first answer of /healthz, with an empty store and with that of a year.

`./dev bench cost [--seconds N] [--json FILE]`
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from service.store import Store
from tests.conftest import ROOT
from tests.service.belt import Mosquitto, Subscriber, configure, free_port, until
from tests.service.walked import START, walk

GOALS = {  # figure → at most
    "service_resident_mb": 90.0,
    "device_resident_mb": 60.0,
    "service_cpu_percent": 2.0,
    "service_start_s": 2.0,
    "service_start_year_s": 2.0,  # with the store of a year
}
STARTS = 5  # the median of so many
FASTAPI = """
import sys, fastapi, uvicorn
app = fastapi.FastAPI()
@app.get("/healthz")
async def healthz(): return {"healthy": True}
uvicorn.run(app, port=int(sys.argv[1]), log_level="warning")
"""
PAHO = """
import sys, time, paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
client = mqtt.Client(CallbackAPIVersion.VERSION2)
client.connect("127.0.0.1", int(sys.argv[1]))
client.loop_start()
while True:
    client.publish("minimal/state", "x" * 700, qos=1)
    time.sleep(1)
"""


def resident(pid: int) -> float:
    """MB"""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (found,) = (line for line in lines if line.startswith("VmRSS:"))
    return int(found.split()[1]) / 1024


def processor(pid: int) -> float:
    """s of processor time used so far, by all threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url + "/healthz", timeout=1):  # noqa: S310 — our own
            return True
    except (OSError, urllib.error.URLError):
        return False


@contextlib.contextmanager
def running(*words: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, *words], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def start(url: str, *words: str) -> float:
    """s from a start to the first answer, the median of STARTS."""
    took = []
    for _ in range(STARTS):
        begun = time.monotonic()
        with running(*words):
            until(lambda: answers(url), 30)
            took.append(time.monotonic() - begun)
    return sorted(took)[STARTS // 2]


def fill(folder: Path, http_port: int) -> Path:
    """The configuration of a belt that was worn half an hour a day for a year."""
    folder.mkdir()
    config = configure(folder, mqtt_port=free_port())
    config.write_text(config.read_text().replace("port = 0", f"port = {http_port}"))
    store = Store(folder / "data" / "store.sqlite")
    for day in range(365):
        store.take(walk(f"w{day}", START + timedelta(days=day), minutes=30, every_s=10))
    store.close()
    return config


def read_page(url: str) -> None:
    """What an open page reads: the live stream, until its end."""
    with contextlib.suppress(OSError, ValueError), urllib.request.urlopen(url) as stream:  # noqa: S310
        while stream.readline():
            pass


def measure(seconds: float, folder: Path) -> dict[str, float]:
    port, other = free_port(), free_port()
    broker = Mosquitto(folder)
    caregiver = Subscriber(broker.port)
    config = configure(folder, mqtt_port=broker.port)
    config.write_text(config.read_text().replace("port = 0", f"port = {port}"))
    url, bare = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{other}"
    service, device = ("-m", "service", "--config", str(config)), ("-m", "device", "--config")
    figures = {
        "service_start_s": start(url, *service),
        "service_start_year_s": start(url, *service[:-1], str(year := fill(folder / "year", port))),
        "store_year_mb": (year.parent / "data" / "store.sqlite").stat().st_size / 1e6,
        "fastapi_start_s": start(bare, "-c", FASTAPI, str(other)),
    }
    with (
        running(*device, str(config), "--simulate", "clear") as belt,
        running(*service) as ours,
        running("-c", FASTAPI, str(other)) as fastapi,
        running("-c", PAHO, str(broker.port)) as paho,
    ):
        until(lambda: answers(url) and answers(bare), 30)
        until(lambda: caregiver.of("status")[-1:] == ["online"], 30)
        page = threading.Thread(target=read_page, args=(url + "/api/v1/events",), daemon=True)
        page.start()
        time.sleep(2.0)
        all_of_them = {"service": ours, "device": belt, "fastapi": fastapi, "paho": paho}
        before = {name: processor(it.pid) for name, it in all_of_them.items()}
        begun, told = time.monotonic(), len(caregiver.of("state"))
        time.sleep(seconds)
        took = time.monotonic() - begun
        for name, it in all_of_them.items():
            figures[f"{name}_cpu_percent"] = 100 * (processor(it.pid) - before[name]) / took
            figures[f"{name}_resident_mb"] = resident(it.pid)
        figures["state_hz"] = (len(caregiver.of("state")) - told) / took
        if not page.is_alive():
            raise RuntimeError("the page's stream ended: what was measured is not what was meant")
    caregiver.close()
    broker.kill()
    return figures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0, metavar="N", help="(30)")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(options.seconds, Path(folder))
    over = [name for name, goal in GOALS.items() if figures[name] > goal]
    for name, value in sorted(figures.items()):
        goal = f"  (goal {GOALS[name]:g})" if name in GOALS else ""
        print(f"{name:22s} {value:8.2f}{goal}")
    if options.json:
        options.json.write_text(json.dumps({**figures, "goals": GOALS, "over": over}) + "\n")
    shown = ", ".join(f"{name} {figures[name]:.2f}" for name in GOALS)
    print(f"cost: {shown}; {'all within their goals' if not over else 'OVER: ' + ', '.join(over)}")
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
