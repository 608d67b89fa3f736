"""A caregiver's phone: registered and pushed to as the app is, and it can press a button."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

from tests.home_assistant.hass import Hass
from tests.service.belt import free_port


class Phone:
    """`pushes` is what Home Assistant sent to it, oldest first; `shown` what a person sees."""

    def __init__(self, hass: Hass, name: str, *, reachable: bool = True) -> None:
        self.pushes: list[dict[str, Any]] = []
        self.times: list[float] = []
        phone = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                phone.times.append(time.monotonic())
                phone.pushes.append(json.loads(self.rfile.read(length)))
                body = b"{}"
                self.send_response(201)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        port = self._server.server_port if reachable else free_port()
        registration = {
            "device_id": name, "app_id": "test", "app_name": "Test", "app_version": "1",
            "device_name": name, "manufacturer": "test", "model": "test", "os_name": "test",
            "os_version": "1", "supports_encryption": False,
            "app_data": {"push_token": name, "push_url": f"http://127.0.0.1:{port}/push"},
        }  # fmt: skip
        webhook = hass.post("mobile_app/registrations", registration)["webhook_id"]
        self._webhook = f"{hass.url}/api/webhook/{webhook}"
        self.device_id = hass.template(f"{{{{ device_id('{name}') }}}}")

    def of(self, tag: str) -> list[dict[str, Any]]:
        """What was pushed under one tag."""
        return [push for push in list(self.pushes) if push.get("data", {}).get("tag") == tag]

    def at(self, push: dict[str, Any]) -> float:
        """When it came [s, monotonic]."""
        return self.times[self.pushes.index(push)]

    def shown(self) -> dict[str, dict[str, Any]]:
        """Tag → what stands there now, as the app does it: the same tag replaces, and clears."""
        there: dict[str, dict[str, Any]] = {}
        for push in list(self.pushes):
            tag = push.get("data", {}).get("tag", "")
            if push["message"] == "clear_notification":
                there.pop(tag, None)
            else:
                there[tag] = push
        return there

    def press(self, push: dict[str, Any]) -> None:
        """The first button of a notification."""
        said = {"action": push["data"]["actions"][0]["action"]}
        event = {"event_type": "mobile_app_notification_action", "event_data": said}
        body = {"type": "fire_event", "data": event}
        answer = httpx.post(self._webhook, json=body, timeout=20)
        assert answer.status_code == 200, answer.text

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
