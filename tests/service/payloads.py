"""Whether a payload is as service/schema says: nothing missing, nothing wrong, nothing unsaid."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from jsonschema import Draft202012Validator

from tests.conftest import ROOT

FOLDER = ROOT / "service" / "schema"
FILES = {
    "alert": "alert", "alert/active": "active", "status": "status", "state": "state",
    "session": "session",
}  # fmt: skip


def schema(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    return found


def _closed(part: Any) -> Any:
    """The same, and what has properties has no others: here, every key must be described."""
    if isinstance(part, list):
        return [_closed(one) for one in part]
    if not isinstance(part, dict):
        return part
    closed = {key: _closed(value) for key, value in part.items()}
    if part.get("type") == "object" and "properties" in part:
        closed.setdefault("additionalProperties", False)
    return closed


_JUDGES = {
    topic: Draft202012Validator(
        _closed(schema(name)), format_checker=Draft202012Validator.FORMAT_CHECKER
    )
    for topic, name in FILES.items()
}


def faults(topic: str, payload: str) -> list[str]:
    """What is wrong with a message; `topic` below the belt's root."""
    if topic.startswith(("command/", "homeassistant/")):
        return []  # what tests send, wrong on purpose; what Home Assistant's own schemas judge
    if topic not in _JUDGES:
        return [f"no schema for {topic}"]
    if topic == "session" and not payload:
        return []  # nothing is retained
    value = payload if topic == "status" else json.loads(payload)
    return [f"{topic}{e.json_path}: {e.message}" for e in _JUDGES[topic].iter_errors(value)]


def check(messages: Iterable[tuple[Any, ...]]) -> None:
    """Every message that a Subscriber has kept."""
    wrong = [f for topic, payload, *_ in messages for f in faults(topic, payload)]
    assert wrong == [], "\n".join(wrong[:5])
