"""Whether somebody outside has been told of the dangers that are open. Pure: the time is passed in.

The service says over the control socket when the broker has a danger (`told`). Its silence is what
a dead service, a dead broker and a broker that nobody listens to have in common.
"""

from __future__ import annotations

from device.alerts import Level, Record, State

NOBODY_S = 10.0  # s without word that somebody was told; a broker's reconnecting takes up to 5 s


class Reach:
    """Follows every record that is told; what waits for somebody to hear it is known by its id."""

    def __init__(self) -> None:
        self._waiting: dict[str, float] = {}  # alert_id → s, since when

    def see(self, record: Record) -> None:
        """A danger waits from its raising, or its being said again, until it is told or over."""
        if record.kind != "alert" or not record.alert_id:
            return
        if record.state not in (State.RAISED, State.CONFIRMED):
            self._waiting.pop(record.alert_id, None)  # over, or answered
        elif record.level == Level.DANGER.word:
            self._waiting.setdefault(record.alert_id, record.t)

    def told(self, alert_id: str) -> bool:
        """Somebody has it; whether that is news."""
        return self._waiting.pop(alert_id, None) is not None

    def felt(self, now: float) -> list[tuple[str, Level]]:
        """(pattern, level) to go on being felt while nobody has been reached."""
        late = any(now - since >= NOBODY_S for since in self._waiting.values())
        return [("nobody", Level.DANGER)] if late else []
