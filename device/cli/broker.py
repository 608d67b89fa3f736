"""A private MQTT broker for the demo: mosquitto where there is one, else amqtt, embedded.

`python -m device.cli.broker PORT` is the embedded one, until SIGTERM.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import shutil
import signal
import socket
import sys
import time
from pathlib import Path

from device.cli import Fault
from device.cli.children import Children, python

HOST = "127.0.0.1"
_PATIENCE = 15.0  # s until it must accept connections
_SBIN = ("/usr/sbin", "/usr/local/sbin")  # where Debian has it, outside of most users' PATH


def mosquitto() -> str | None:
    """Where mosquitto is, None when it is not installed."""
    return shutil.which("mosquitto", path=os.pathsep.join((os.environ.get("PATH", ""), *_SBIN)))


def free_port() -> int:
    """A loopback port that is free now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    return port


def start(children: Children, folder: Path) -> int:
    """Start the broker, its files in `folder`; returns its port once it accepts connections.

    Raises Fault when there is none to start, or it does not come up.
    """
    port = free_port()
    if program := mosquitto():
        settings = folder / "mosquitto.conf"
        settings.write_text(
            f"listener {port} {HOST}\nallow_anonymous true\npersistence false\nlog_dest stderr\n"
            # started by root it would else change its user, and the kernel forget its parent
            "user root\n"
        )
        children.start("broker", [program, "-c", str(settings)])
    elif importlib.util.find_spec("amqtt"):
        children.start("broker", python("device.cli.broker", str(port)))
    else:
        raise Fault("no MQTT broker is installed; `apt install mosquitto`, or `pip install amqtt`")
    deadline = time.monotonic() + _PATIENCE
    while True:
        children.check()
        try:
            socket.create_connection((HOST, port), timeout=1.0).close()
        except OSError as error:
            if time.monotonic() > deadline:
                raise Fault(
                    f"the broker does not accept connections ({error}); try again"
                ) from error
            time.sleep(0.02)
        else:
            return port


async def _serve(port: int) -> None:
    from amqtt.broker import Broker  # noqa: PLC0415  only here is it needed

    broker = Broker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"{HOST}:{port}"}},
            "plugins": {
                "amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}
            },
        }
    )
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    await broker.start()
    await ended.wait()
    await broker.shutdown()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
