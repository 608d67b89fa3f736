"""`./dev test --home-assistant`: what comes of a belt in Home Assistant itself.

The real service between the lanes of a simulated device and a real mosquitto; Home Assistant from
its own package, with its own MQTT and its own app integration; a phone that is registered and
pushed to as the app is. Everything is read from Home Assistant's own interfaces.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from tests.conftest import ROOT
from tests.home_assistant.hass import Hass
from tests.home_assistant.root import prepared, removed
from tests.home_assistant.scenes import SCENES, Proof
from tests.service.belt import BELT

DEPLOY = ROOT / "deploy" / "home-assistant"


def main() -> int:
    """0: every scene held."""
    parser = argparse.ArgumentParser(prog="dev test --home-assistant", description=__doc__)
    parser.add_argument("--json", type=Path, help="file for the figures")
    parser.add_argument("--picture", type=Path, help="PNG of the dashboard during a fall")
    arguments = parser.parse_args()
    try:
        root = prepared()
    except (OSError, subprocess.CalledProcessError) as error:
        sys.stderr.write(f"home-assistant: there is no root to run it in ({error})\n")
        return 2
    failed: list[str] = []
    with ExitStack() as ending:
        folder = Path(ending.enter_context(tempfile.TemporaryDirectory()))
        hass = Hass(root, DEPLOY, BELT)
        ending.callback(removed, hass.folder)
        ending.callback(hass.stop)
        proof = Proof(folder, hass, arguments.picture, ending)
        failed += [scene.__name__ for scene in SCENES if not _holds(scene, proof)]
        if failed:
            said = [line for line in hass.log() if "mobile_app.notify" not in line]
            sys.stdout.write("\n".join(said[-30:]) + "\n")
    figures = proof.figures
    figures |= {"scenes": len(SCENES), "failed": failed}
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n")
    words = ", ".join(f"{name} {value}" for name, value in figures.items() if name != "failed")
    sys.stdout.write(f"home-assistant: {words}, failed {len(failed)}\n")
    return 1 if failed else 0


def _holds(scene: Callable[[Proof], None], proof: Proof) -> bool:
    began = time.monotonic()
    try:
        scene(proof)
    except Exception:  # noqa: BLE001 — a scene that breaks has failed; the others go on
        sys.stdout.write(f"FAILED  {_words(scene)}\n{traceback.format_exc()}")
        return False
    sys.stdout.write(f"holds   {_words(scene)} ({time.monotonic() - began:.1f} s)\n")
    sys.stdout.flush()
    return True


def _words(scene: Callable[[Proof], None]) -> str:
    return scene.__name__.replace("_", " ")


if __name__ == "__main__":
    sys.exit(main())
