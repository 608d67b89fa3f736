"""Records the service makes itself, for what the device cannot say: that it is gone, for one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from device.alerts import Level, Record, State
from device.clock import wall_clock_synchronised
from service.moment import Moment

RUN_PREFIX = "service-"  # marks the service's runs among the device's


@dataclass(slots=True)
class OwnRecords:
    """Numbers and completes the service's records: ids `<belt>:service-<boot>-<start>:<n>`."""

    belt: str
    boot: str  # of the machine
    start: str  # of this process; never twice in one boot
    _count: int = field(default=0)

    @property
    def run(self) -> str:
        return f"{RUN_PREFIX}{self.boot}-{self.start}"

    def record(
        self,
        now: Moment,
        event: str,
        level: Level,
        detail: str,
        *,
        state: State = State.RAISED,
        alert_id: str = "",
        by: str = "",
        source: str = "live",
        kind: str = "alert",
        wearer: str = "",
        session: str = "",
        measurements: dict[str, float] | None = None,
        test: bool = False,
    ) -> dict[str, Any]:
        """One record, whole but for `delayed_s`; an alert without `alert_id` begins an episode."""
        self._count += 1
        number = f"{self.belt}:{self.run}:{self._count}"
        record = Record(
            kind=kind,
            event=event,
            level=level.word,
            state=state.value,
            alert_id=alert_id or (number if kind == "alert" else ""),
            t=now.t,
            by=by,
            source=source,
            wearer=wearer,
            session=session,
            measurements=measurements or {},
            test=test,
            detail=detail,
        )
        return {
            "id": number,
            "belt": self.belt,
            "boot": self.run,
            "raised_at": now.written(),
            "clock_synchronised": wall_clock_synchronised(),
            **record.to_dict(),
        }
