"""Metrics for Prometheus, named by its rules: base units, `_total` for what only grows.

What is not known is left out, never told as nought.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from device.frames import Guard
from service import machine
from service.counts import LATENESS_EDGES, Counts
from service.history import History
from service.live import Live
from service.moment import Moment
from service.status import Status

MEDIA_TYPE = CONTENT_TYPE_LATEST


class Metrics(Collector):
    """Collected at each scrape; nothing is kept."""

    def __init__(
        self, status: Status, live: Live, counts: Counts, raised: Mapping[str, int],
        history: History, version: str,
    ) -> None:  # fmt: skip
        """`raised`: alerts since the start, by event."""
        self._status, self._live, self._counts = status, live, counts
        self._raised, self._history, self._version = raised, history, version
        self._now = Moment(0.0, 0.0)
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def describe(self) -> list[Metric]:
        return []  # so that registering does not collect

    def text(self, now: Moment) -> bytes:
        """The page that Prometheus reads."""
        self._now = now
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        picture = self._status.picture(self._now)
        info = {"version": self._version, "belt": picture["belt"], "source": picture["source"]}
        yield InfoMetricFamily("rearguard_build", "What runs here, fed by what.", info)
        guard = GaugeMetricFamily("rearguard_guard", "1: how far it guards now.", labels=["stage"])
        for stage in Guard:
            word = stage.name.lower()
            guard.add_metric([word], float(picture["guard"] == word))
        yield guard
        yield from self._streams(picture["streams"])
        yield from self._device()
        yield from self._alerts(picture)
        yield from _machine()

    def _streams(self, streams: dict[str, dict[str, Any]]) -> Iterator[Metric]:
        age = GaugeMetricFamily(
            "rearguard_stream_age_seconds", "Since the newest of each stream.", labels=["stream"]
        )
        fresh = GaugeMetricFamily(
            "rearguard_stream_fresh", "1: as fresh as it should be.", labels=["stream"]
        )
        for name, stream in streams.items():
            if isinstance(stream["age_s"], float):
                age.add_metric([name], stream["age_s"])
            fresh.add_metric([name], float(stream["health"] == "fresh"))
        yield from (age, fresh)
        yield _count("rearguard_journal_records", "Taken in.", streams["journal"], "records")
        yield _count("rearguard_journal_damaged", "Lines that were no records.",
                     streams["journal"], "damaged")  # fmt: skip
        yield _count("rearguard_broker_connections", "Made.", streams["broker"], "connections")
        yield _count("rearguard_broker_confirmed_messages", "Confirmed by the broker.",
                     streams["broker"], "confirmed")  # fmt: skip
        yield _count("rearguard_clock_steps", "The wall clock was set.", streams["clock"], "steps")
        room = streams["storage"]["counters"]
        yield _gauge("rearguard_storage_free_bytes", "Room on the disk.", room["free_bytes"])

    def _device(self) -> Iterator[Metric]:
        counts = self._counts
        yield CounterMetricFamily("rearguard_frames", "Read from the ring.", counts.frames)
        yield CounterMetricFamily(
            "rearguard_frames_lost", "Overwritten before they were read.", counts.lost
        )
        for name, about, label, found in (
            ("rearguard_imu_gaps", "Frames without a sample.", "why", counts.gaps),
            ("rearguard_pings", "What the rear sensor brought.", "echo", counts.pings),
        ):
            family = CounterMetricFamily(name, about, labels=[label])
            for word, number in sorted(dict(found).items()):  # the watch goes on writing
                family.add_metric([word], number)
            yield family
        late = HistogramMetricFamily(
            "rearguard_loop_lateness_seconds", "The loop behind its deadline, each frame."
        )
        buckets, total = [], 0
        edges = [*map(str, LATENESS_EDGES), "+Inf"]
        for edge, number in zip(edges, list(counts.late), strict=True):
            total += number
            buckets.append((edge, float(total)))
        late.add_metric([], buckets, counts.lateness_sum)
        yield late
        if not math.isnan(charge := self._live.charge()):
            yield _gauge("rearguard_battery_charge_ratio", "Share of charge.", charge)

    def _alerts(self, picture: dict[str, Any]) -> Iterator[Metric]:
        raised = CounterMetricFamily(
            "rearguard_alerts", "Raised since the service started.", labels=["event"]
        )
        for event, number in sorted(dict(self._raised).items()):
            raised.add_metric([event], number)
        active = GaugeMetricFamily("rearguard_alerts_active", "Open now.", labels=["event"])
        for event, number in sorted(self._history.open_by_event().items()):
            active.add_metric([event], number)
        yield from (raised, active)
        service = picture["service"]
        yield _gauge("rearguard_outbox_records", "Not confirmed yet.", service["waiting"])
        yield _gauge(
            "rearguard_outbox_oldest_age_seconds",
            "Of the oldest not confirmed, by the wall clock; 0: none waits.",
            _since(service["oldest_waiting_raised_at"], self._now),
        )
        yield _gauge("rearguard_device_answers", "1: it takes our signs of life.",
                     float(service["device_answers"]))  # fmt: skip


def _machine() -> Iterator[Metric]:
    if not math.isnan(heat := machine.temperature()):
        yield _gauge("rearguard_temperature_celsius", "Of the processor.", heat)
    if (limits := machine.throttled()) is not None:
        yield _gauge("rearguard_throttled", "1: the Pi limits itself now.", float(limits[0]))
        yield _gauge("rearguard_throttled_since_start", "1: it has.", float(limits[1]))
    yield _gauge("process_resident_memory_bytes", "Of the service.", machine.resident_bytes())
    yield CounterMetricFamily("process_cpu_seconds", "Of the service.", machine.cpu_seconds())


def _gauge(name: str, about: str, value: float) -> Metric:
    return GaugeMetricFamily(name, about, value)


def _count(name: str, about: str, stream: dict[str, Any], counter: str) -> Metric:
    return CounterMetricFamily(name, about, stream["counters"][counter])


def _since(written: str | None, now: Moment) -> float:
    """Seconds since a time in ISO 8601; 0 for none."""
    try:
        return max(0.0, now.wall - datetime.fromisoformat(written).timestamp()) if written else 0.0
    except ValueError:
        return 0.0
