"""Small plots as SVG, drawn by hand: a Pi need not load a plotting library for a few lines. Pure.

A plot is read by title, text and axis without its colours, and it prints.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from html import escape

WIDTH, HEIGHT = 340, 146
LEFT, RIGHT, TOP, BOTTOM = 34, 8, 8, 20
INK, SOFT, FAINT, ACCENT = "#1b2733", "#5c6b78", "#d5dce1", "#0b5a8f"


@dataclass(slots=True)
class Plot:
    """Values over dates. Weeks are a line with dots, or bars; single values are faint dots."""

    label: str  # said to those who cannot see it
    weeks: Sequence[tuple[date, float]]  # a value a week at its Monday; NaN: none
    single: Sequence[tuple[float, float]] = ()  # (days since the first Monday, value)
    bars: bool = False
    lines: Sequence[tuple[float, str]] = ()  # level lines with their names
    steps: Sequence[tuple[date, float]] = ()  # what was asked, from each date for a week
    _low: float = field(init=False, default=0.0)
    _high: float = field(init=False, default=1.0)

    def svg(self) -> str:
        """The drawing. Empty when there is nothing to draw."""
        known = [v for _, v in self.weeks if not math.isnan(v)]
        known += [v for _, v in self.single if not math.isnan(v)]
        if not known:
            return ""
        marks = [v for v, _ in self.lines] + [v for _, v in self.steps]
        ticks = nice(0.0 if self.bars else min(known + marks), max(known + marks))
        self._low, self._high = ticks[0], ticks[-1]
        parts = [self._frame(ticks), self._dates()]
        parts += [self._level(value, name) for value, name in self.lines]
        parts += [
            f'<circle cx="{self._x(day):.1f}" cy="{self._y(v):.1f}" r="1.6" fill="{ACCENT}"'
            ' fill-opacity=".35"/>'
            for day, v in self.single
            if not math.isnan(v)
        ]
        parts.append(self._bars() if self.bars else self._line())
        parts += [self._asked(day, value) for day, value in self.steps]
        return (
            f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(self.label)}"'
            f' font-size="9" fill="{SOFT}">{"".join(parts)}</svg>'
        )

    def _days(self) -> int:
        return (self.weeks[-1][0] - self.weeks[0][0]).days + 7

    def _x(self, day: float) -> float:
        return LEFT + day / self._days() * (WIDTH - LEFT - RIGHT)

    def _y(self, value: float) -> float:
        share = (value - self._low) / (self._high - self._low)
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)

    def _middle(self, monday: date) -> float:
        return self._x((monday - self.weeks[0][0]).days + 3.5)

    def _frame(self, ticks: Sequence[float]) -> str:
        return "".join(
            f'<path d="M{LEFT} {self._y(t):.1f}H{WIDTH - RIGHT}" stroke="{FAINT}"/>'
            f'<text x="{LEFT - 4}" y="{self._y(t) + 3:.1f}" text-anchor="end">{t:g}</text>'
            for t in ticks
        )

    def _dates(self) -> str:
        """A date below at most six weeks, evenly."""
        every = max(1, math.ceil(len(self.weeks) / 6))
        return "".join(
            f'<text x="{self._middle(day):.1f}" y="{HEIGHT - 6}" text-anchor="middle">'
            f"{day.day} {day:%b}</text>"
            for day, _ in self.weeks[::every]
        )

    def _line(self) -> str:
        path, dots, drawn = "", "", False
        for day, value in self.weeks:
            if math.isnan(value):
                drawn = False
                continue
            x, y = self._middle(day), self._y(value)
            path += f"{'L' if drawn else 'M'}{x:.1f} {y:.1f}"
            dots += f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.4"/>'
            drawn = True
        return (
            f'<path d="{path}" fill="none" stroke="{ACCENT}" stroke-width="1.6"/>'
            f'<g fill="{ACCENT}">{dots}</g>'
        )

    def _bars(self) -> str:
        wide = self._x(7) - self._x(0)
        ground = self._y(self._low)
        return "".join(
            f'<rect x="{self._middle(day) - 0.36 * wide:.1f}" y="{self._y(value):.1f}"'
            f' width="{0.72 * wide:.1f}" height="{ground - self._y(value):.1f}" fill="{ACCENT}"/>'
            for day, value in self.weeks
            if value > 0
        )

    def _level(self, value: float, name: str) -> str:
        y = self._y(value)
        return (
            f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="{INK}" stroke-dasharray="5 3"/>'
            f'<text x="{WIDTH - RIGHT}" y="{y - 3:.1f}" text-anchor="end" fill="{INK}">'
            f"{escape(name)}</text>"
        )

    def _asked(self, monday: date, value: float) -> str:
        start = self._x((monday - self.weeks[0][0]).days)
        end = self._x((monday - self.weeks[0][0]).days + 7)
        y = self._y(value)
        return f'<path d="M{start:.1f} {y:.1f}H{end:.1f}" stroke="{INK}" stroke-width="2"/>'


def nice(low: float, high: float) -> list[float]:
    """Three to six round ticks that hold both."""
    span = (high - low) or abs(high) or 1.0
    if high == low:
        low, high = (max(0.0, low - span / 10) if low >= 0 else low - span / 10), high + span / 10
        span = high - low
    power = 10.0 ** math.floor(math.log10(span / 3))
    step = next(power * n for n in (1, 2, 2.5, 5, 10) if span / (power * n) <= 4)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(n * step, 10) for n in range(first, max(last, first + 1) + 1)]
