"""Home Assistant as a process, and its own interfaces: REST, and the stream of its events."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

from tests.home_assistant.root import PYTHON, as_root, inside
from tests.service.belt import free_port, until

UP_WITHIN = 240.0  # s; the first start compiles, and the machine may be busy
# Of the parts it would start by itself, those left out keep backups, or speak to its makers. Two
# libraries of its voice assistant have no wheels; nothing here speaks.
_START = """
import sys, types
for name, wanted in (("pymicro_vad", "MicroVad"), ("pyspeex_noise", "AudioProcessor")):
    sys.modules[name] = types.ModuleType(name)
    setattr(sys.modules[name], wanted, None)
import homeassistant.bootstrap as bootstrap
bootstrap.DEFAULT_INTEGRATIONS = {"automation", "frontend", "person", "script", "tag", "zone"}
bootstrap.CRITICAL_INTEGRATIONS = set()
from homeassistant.__main__ import main
sys.exit(main())
"""
_CONFIGURATION = """
homeassistant: {{name: Test, time_zone: UTC, unit_system: metric}}
http: {{server_host: 127.0.0.1, server_port: {port}}}
logger: {{default: warning}}
api:
auth:
config:
history:
logbook:
onboarding:
recorder:
websocket_api:
mobile_app:
automation: !include automations.yaml
lovelace:
  dashboards:
    rear-guard: {{mode: yaml, title: Rearguard, filename: dashboard.yaml, show_in_sidebar: true}}
"""


class Hass:
    """One Home Assistant with a configuration folder of its own in `root`."""

    def __init__(self, root: Path, deploy: Path, belt: str) -> None:
        """`deploy`: the files that a person puts there, for a belt of this name."""
        self._root = root
        self.folder = root / "srv" / f"config-{free_port()}"
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        subprocess.run(as_root("install", "-d", "-m", "0777", self.folder), check=True)
        (self.folder / "configuration.yaml").write_text(_CONFIGURATION.format(port=self._port))
        (self.folder / "automations.yaml").write_text("[]\n")
        (self.folder / "start.py").write_text(_START)
        shutil.copytree(deploy / "blueprints", self.folder / "blueprints")
        dashboard = (deploy / "dashboard.yaml").read_text()
        (self.folder / "dashboard.yaml").write_text(
            dashboard.replace("rearguard_belt_", f"rearguard_{belt}_")
        )
        self.log_file = self.folder / "said.log"
        self._headers: dict[str, str] = {}
        self.tokens: dict[str, Any] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self.events: list[dict[str, Any]] = []

    # --- its life ---

    def start(self) -> None:
        place = "/" + str(self.folder.relative_to(self._root))
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                inside(self._root, PYTHON, f"{place}/start.py", "-c", place, "--skip-pip"),
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        until(self._answers, UP_WITHIN)
        if self._headers:
            self._listen()

    def stop(self) -> None:
        """End it as its own operator would; not within a minute: by force."""
        if self._process is None or self._process.poll() is not None:
            return
        for name, patience in (("TERM", 60), ("KILL", 10)):
            subprocess.run(as_root("kill", "-s", name, "--", f"-{self._process.pid}"), check=False)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(patience)
                return

    def log(self) -> list[str]:
        return self.log_file.read_text(errors="replace").splitlines()

    def _answers(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise AssertionError(f"Home Assistant ended: {self.log()[-5:]}")
        try:
            if not self._headers:
                return httpx.get(self.url + "/api/onboarding").status_code == 200
            return self.get("config")["state"] == "RUNNING"
        except (httpx.HTTPError, ValueError, KeyError):
            return False

    # --- what a person does ---

    def move_in(self, name: str) -> None:
        """The first user, who is a person as well; everything after is done as them."""
        client = self.url + "/"
        user = {"name": name, "username": name.lower(), "password": "of this test",
                "client_id": client, "language": "en"}  # fmt: skip
        code = self.post("onboarding/users", user)["auth_code"]
        grant = {"grant_type": "authorization_code", "code": code, "client_id": client}
        self.tokens = httpx.post(self.url + "/auth/token", data=grant).json()
        self._headers = {"Authorization": f"Bearer {self.tokens['access_token']}"}
        for step in ("core_config", "analytics"):
            self.post(f"onboarding/{step}", {})
        self.post("onboarding/integration", {"client_id": client, "redirect_uri": client})
        until(lambda: self.get("config")["state"] == "RUNNING", 60)
        self._listen()

    def integrate_mqtt(self, port: int, user: str, password: str) -> None:
        flow = self.post("config/config_entries/flow", {"handler": "mqtt"})
        broker = {"broker": "127.0.0.1", "port": port, "username": user, "password": password}
        made = self.post(f"config/config_entries/flow/{flow['flow_id']}", broker)
        assert made["type"] == "create_entry", made

    def automate(self, name: str, blueprint: str, inputs: dict[str, Any]) -> str:
        """An automation of a blueprint, as its editor makes one; its entity's id."""
        body = {"alias": name, "use_blueprint": {"path": blueprint, "input": inputs}}
        self.post(f"config/automation/config/{name}", body)
        entity = f"automation.{name}"
        until(lambda: self.state(entity) == "on", 20)
        return entity

    def press(self, entity: str) -> None:
        self.post("services/button/press", {"entity_id": entity})

    # --- what it says ---

    def template(self, text: str) -> str:
        answer = httpx.post(
            self.url + "/api/template", json={"template": text}, headers=self._headers, timeout=20
        )
        return answer.text

    def states(self) -> dict[str, dict[str, Any]]:
        return {state["entity_id"]: state for state in self.get("states")}

    def state(self, entity: str) -> str:
        found = self.states().get(entity)
        return found["state"] if found else "absent"

    def changes(self, entity: str) -> list[dict[str, Any]]:
        """The states that an entity has taken since it was last listened for, oldest first."""
        changed = [e["data"] for e in list(self.events) if e["event_type"] == "state_changed"]
        return [c["new_state"] for c in changed if c["entity_id"] == entity and c["new_state"]]

    def get(self, path: str) -> Any:
        answer = httpx.get(f"{self.url}/api/{path}", headers=self._headers, timeout=20)
        return answer.json()

    def post(self, path: str, body: dict[str, Any]) -> Any:
        answer = httpx.post(f"{self.url}/api/{path}", json=body, headers=self._headers, timeout=60)
        assert answer.status_code < 300, (path, answer.status_code, answer.text)
        return answer.json() if answer.content else None

    def _listen(self) -> None:
        threading.Thread(target=self._stream, daemon=True).start()
        until(lambda: self._attached, 20)

    _attached = False

    def _stream(self) -> None:
        self._attached = False
        with (
            suppress(httpx.HTTPError),
            httpx.stream(
                "GET", f"{self.url}/api/stream", headers=self._headers, timeout=90
            ) as answer,
        ):
            for line in answer.iter_lines():
                self._attached = True
                if line.startswith("data: {"):
                    self.events.append(json.loads(line[6:]))
