"""The report a clinician reads: one HTML file that needs nothing else, two pages of A4. Pure.

What was done, how it went, the test with its published cut-offs, what happened, what is uncertain.
"""

from __future__ import annotations

import math
from collections import Counter
from datetime import date, timedelta
from html import escape
from pathlib import Path
from statistics import median, stdev

from service.course import screened, words
from service.dossier import Dossier
from service.plot import Plot
from service.progress import (
    FIGURES,
    LEAST_DOSE_S,
    TEST,
    TREND_WEEKS,
    Figure,
    dose_min,
    energy_kcal_kg,
    middle,
    test_doubt,
    test_time,
    when,
)
from service.sessions import by_own_steps
from service.trend import LEAST, Trend

STYLE = (Path(__file__).parent / "page" / "report.css").read_text(encoding="utf-8")
LATELY = timedelta(weeks=4)
WORTH_SAYING_S = 0.15  # s of doubt of a time
MOST_ROWS = 6  # of a table, so that two pages are enough
CUT_OFFS = ((3.0, "3.0 s"), (4.5, "4.5 s"), (5.5, "5.5 s"))
PLOTTED = ("dose_min", "speed_m_s", "step_time_cv", "sway_m_s2", "cadence_steps_min", "cues_min")
SHOWN_EVENTS = {  # event → what it is called here
    "fall": "Fall felt",
    "long_lie": "Still down after a fall",
    "sos": "Help asked for",
    "stumble": "Stumble",
    "unsteady": "Unsteady",
    "obstacle": "Something close behind",
    "rear_blind": "Rear sensor not to be trusted",
    "not_guarding": "Belt not guarding",
}


def report(dossier: Dossier, belt: str) -> str:
    """The whole page."""
    name = escape(dossier.wearer)
    parts = [
        f"<header><h1>{name}<small>Walking backward with a Rearguard belt ({escape(belt)})</small>"
        "</h1>"
        f"<p>{_period(dossier)}<br>made {_date(dossier.now)}</p></header>",
        _simulated(dossier),
        "<h2>What was done</h2>",
        _tiles(dossier),
        _goal(dossier),
        f"<h2>How it went</h2><div class=plots>{_plots(dossier)}</div>",
        "<p class=small>Dots: single walks; line or bars: the middle of each week; thick line: what"
        f" the programme asked. Changes are those of the last {TREND_WEEKS} weeks, in brackets"
        " with their 95 % interval.</p>",
        f"<div class=page></div><h2>3-metre backward walk test</h2>{_tests(dossier)}",
        f"<div class=two><section><h2>What happened</h2>{_happened(dossier)}</section>",
        f"<section><h2>Screening</h2>{_screening(dossier)}</section></div>",
        f"<section><h2>Energy</h2>{_energy(dossier)}</section>",
        f"<section><h2>What is uncertain</h2>{_uncertain(dossier)}</section>",
        "<footer class=small>Rearguard is not a medical device and this is no diagnosis."
        f" {_sources(dossier)}</footer>",
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{name} · Rearguard report</title><link rel="icon" href="data:,">'
        f"<style>{STYLE}</style></head><body>{''.join(parts)}</body></html>\n"
    )


def _date(item: object) -> str:
    at = when(item) if isinstance(item, dict) else item
    return f"{at.day} {at:%B %Y}"  # type: ignore[attr-defined]


def _period(dossier: Dossier) -> str:
    if not dossier.sessions:
        return "no walk yet"
    return f"{_date(dossier.sessions[0])} to {_date(dossier.sessions[-1])}"


def _simulated(dossier: Dossier) -> str:
    """What did not come from a body is said at the top."""
    other = sorted({s["source"] for s in dossier.sessions} - {"live"})
    return (
        f"<p class=mark>Not measured on a person: {escape(', '.join(other))}</p>" if other else ""
    )


def _tiles(dossier: Dossier) -> str:
    sessions = dossier.sessions
    lately = [s for s in sessions if when(s) > dossier.now - LATELY]
    total = sum(map(dose_min, sessions))
    metres = sum(s["totals"].get("distance_m", 0.0) for s in sessions)
    speed = middle(FIGURES[1].of(s) for s in lately)
    effort = middle(FIGURES[-1].of(s) for s in lately)
    reached = sum(s["ended"] == "dose" for s in lately)
    rows = (
        ("Walks", f"{len(sessions)}", f"{len(lately)} in the last 4 weeks"),
        ("Walking backward", _minutes(total), f"{_minutes(sum(map(dose_min, lately)))} lately"),
        ("Distance backward", f"{metres / 1000:.1f} km", "estimated"),
        ("Usual speed", _number(speed, 2, "m/s"), "last 4 weeks"),
        ("Effort, Borg CR10", _number(effort, 1), f"goal reached in {reached} of {len(lately)}"),
    )
    return f"<dl class=tiles>{''.join(_tile(*row) for row in rows)}</dl>"


def _tile(title: str, value: str, more: str) -> str:
    return f"<div><dt>{title}</dt><dd>{value}<small>{more}</small></dd></div>"


def _minutes(minutes: float) -> str:
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.1f} h"


def _goal(dossier: Dossier) -> str:
    course = dossier.course
    if course is None:
        return "<div class=goal><p>No programme is chosen.</p></div>"
    week, asked = len(course.weeks) + 1, len(course.plan.minutes)
    where = f"week {week} of {asked}" if week <= asked else f"its {asked} weeks are over"
    return (
        f"<div class=goal><p><b>This week</b> (programme “{escape(course.plan.title)}”, {where}):"
        f" {escape(words(course.goal))}; {course.this_week} done so far.</p></div>"
    )


def _plots(dossier: Dossier) -> str:
    by_name = {figure.name: figure for figure in FIGURES}
    return "".join(_plot(dossier, by_name[name]) for name in PLOTTED)


def _plot(dossier: Dossier, figure: Figure) -> str:
    first = dossier.weeks[0].start if dossier.weeks else None
    single = [
        ((when(s).date() - first).days + 0.5, figure.of(s)) for s in dossier.sessions if first
    ]
    is_dose = figure.name == "dose_min"
    drawn = Plot(
        label=f"{figure.title} by week",
        weeks=[(week.start, week.figures[figure.name]) for week in dossier.weeks],
        single=single,
        bars=is_dose,
        steps=_asked(dossier) if is_dose else (),
    ).svg()
    nothing = "<p class=none>not measured</p>"
    return f"<figure>{_caption(figure, dossier.trends[figure.name])}{drawn or nothing}</figure>"


def _asked(dossier: Dossier) -> list[tuple[date, float]]:
    course = dossier.course
    if course is None or not dossier.weeks:
        return []
    begun = course.began.date()
    asked = [goal.minutes for goal in [*course.goals, course.goal]]
    weeks = [(begun + timedelta(weeks=n), minutes) for n, minutes in enumerate(asked)]
    last = dossier.weeks[-1].start
    return [(day, minutes) for day, minutes in weeks if dossier.weeks[0].start <= day <= last]


def _caption(figure: Figure, trend: Trend) -> str:
    said, clear = reading(trend, figure.better, figure.digits)
    kind = " class=clear" if clear else ""
    unit = f", {figure.unit}" if figure.unit else ""
    return f"<figcaption><h3>{figure.title}{unit}</h3><span{kind}>{said}</span></figcaption>"


def reading(trend: Trend, better: int, digits: int) -> tuple[str, bool]:
    """A trend in words, and whether it is clear."""
    if not trend.known:
        return f"too few for a trend ({trend.points} of {LEAST})", False
    if math.isinf(trend.low) or math.isinf(trend.high):
        return "no clear change", False
    digits += 1  # a change a week is smaller than what changes
    interval = f"({trend.low:+.{digits}f} to {trend.high:+.{digits}f})"
    shown = (round(trend.low, digits), round(trend.high, digits))
    if not trend.clear or 0 in shown:  # a change too small to be written is none
        return _minus(f"no clear change {interval}"), False
    words = {1: "better", -1: "worse", 0: "rising" if trend.clear > 0 else "falling"}
    word = words[trend.clear * better]
    return _minus(f"{word}: {trend.slope:+.{digits}f} a week {interval}"), True


def _minus(text: str) -> str:
    return text.replace("-", "−")


def _tests(dossier: Dossier) -> str:
    trials = [(when(record), test_time(record), record) for record in dossier.tests]
    trials = [trial for trial in trials if not math.isnan(trial[1])]
    days: dict[date, list[tuple[float, float, str]]] = {}
    for at, seconds, record in trials:
        told = seconds, test_doubt(record), str(record.get("detail", ""))
        days.setdefault(at.date(), []).append(told)
    shown = list(days.items())[-MOST_ROWS:]
    rows = "".join(
        f"<tr><td>{day.day} {day:%b %Y}</td>"
        f"<td class=n>{' · '.join(_time(t, off) for t, off, _ in found[:5])}</td>"
        f"<td class=n><b>{median(t for t, _, _ in found):.1f}</b></td>"
        f"<td class=n>{_spread([t for t, _, _ in found])}</td></tr>"
        f"<tr class=how><td colspan=4>{escape(_how(found[-1][2]))}</td></tr>"
        for day, found in reversed(shown)
    )
    table = (
        "<table class=tight><tr><th>Day<th class=n>Trials, s"
        f"<th class=n>Median<th class=n>SD</tr>{rows}</table>"
        if rows
        else "<p class=none>not done yet</p>"
    )
    drawn = Plot(
        label="Time of the 3-metre backward walk by week, with the published cut-offs",
        weeks=[(week.start, week.figures[TEST]) for week in dossier.weeks],
        lines=CUT_OFFS,
    ).svg()
    said, clear = reading(dossier.trends[TEST], -1, 1)
    caption = f"<figcaption><h3>Time, s</h3><span{' class=clear' if clear else ''}>{said}</span>"
    figure = f"<figure>{caption}</figcaption>{drawn}</figure>" if drawn else ""
    return (
        f"<div class=two><div>{figure}"
        "<p class=small>Screening figures, not a diagnosis. Carter et al.: low risk of falling"
        " under 3.0 s, high over 4.5 s. Polo-Ferrero et al. (n = 483) disagree: fallers"
        " 6.8 ± 3.4 s, others 5.1 ± 1.3 s; best cut 5.5 s, which tells them apart poorly"
        f" (AUC 0.655).</p></div>{table}</div>"
    )


def _time(seconds: float, off: float) -> str:
    """A trial's time; with how far it may be off, where that can be seen in its digits."""
    return f"{seconds:.1f} ± {off:.1f}" if off > WORTH_SAYING_S else f"{seconds:.1f}"


def _how(detail: str) -> str:
    """How the distance of a trial was known, of all that the device said of it."""
    return next((part for part in detail.split("; ") if "wall" in part), detail)[:80]


def _spread(times: list[float]) -> str:
    return f"{stdev(times):.2f}" if len(times) > 1 else "–"


def _happened(dossier: Dossier) -> str:
    lately = dossier.now - LATELY
    every = Counter(episode["event"] for episode in dossier.happened)
    late = Counter(e["event"] for e in dossier.happened if when(e) > lately)
    rows = "".join(
        f"<tr><td>{title}</td><td class=n>{late[event]}</td><td class=n>{every[event]}</td></tr>"
        for event, title in SHOWN_EVENTS.items()
        if every[event] or event == "fall"
    )
    falls = "".join(
        f"<li>{_date(fall)}: {escape(fall['event'].replace('_', ' '))},"
        f" {'not answered' if fall['state'] == 'raised' else escape(fall['state'])}"
        f"{' by ' + escape(fall['by'][:40]) if fall['by'] else ''}</li>"
        for fall in dossier.falls[-3:]
    )
    return (
        "<table><tr><th>Event<th class=n>last 4 weeks<th class=n>last 12 months</tr>"
        f"{rows}</table><ul class=small>{falls}</ul>"
    )


def _screening(dossier: Dossier) -> str:
    verdict = screened(dossier.screenings, dossier.now)
    if not verdict:
        return "<p>Never asked: no guarded session is begun without it.</p>"
    last = dossier.screenings[-1]
    felt = dossier.perceptions[-1]["measurements"] if dossier.perceptions else {}
    buzzes = (
        f"<p>Buzzes felt at the waist: {felt.get('felt', 0):g} of {felt.get('of', 0):g}"
        f" ({_date(dossier.perceptions[-1])}).</p>"
        if felt
        else "<p>Whether buzzes are felt was not tested.</p>"
    )
    return f"<p><b>{_date(last)}</b>: {escape(str(last.get('detail', ''))[:400])}</p>{buzzes}"


def _energy(dossier: Dossier) -> str:
    found = [energy for s in dossier.sessions if (energy := energy_kcal_kg(s))]
    if not found:
        return "<p>Not known.</p>"
    least, most = median(e[0] for e in found), median(e[1] for e in found)
    return (
        f"<p>A usual walk: {least:.2f} to {most:.2f} kcal for each kg of body mass (70 kg:"
        f" {70 * least:.0f} to {70 * most:.0f} kcal), walking backward alone."
        " <span class=small>Least: walking forward as fast, by the ACSM's equation for level"
        " ground. Most: 40 % above it, the largest share that is told and for which we found no"
        " primary source; +17 to 20 % was measured on a grade. Nothing of it was measured here."
        "</span></p>"
    )


def _uncertain(dossier: Dossier) -> str:
    sessions = dossier.sessions
    undated = sum(not s["clock_synchronised"] for s in sessions)
    cut = sum(s["state"] == "cancelled" for s in sessions)
    short = sum(0 < s["totals"].get("dose_s", 0.0) < LEAST_DOSE_S for s in sessions)
    guessed = sum(not by_own_steps(s["totals"]) for s in sessions)
    silent = sum(s["borg_cr10"] is None for s in sessions)
    points = [
        "Speed, distance and step length are estimated from the motion of the waist. They were"
        " checked on recordings and on simulated walkers, not yet on people wearing this belt.",
        "Walks of neighbouring days resemble each other, so the intervals are a little too narrow;"
        " and of eight figures that do not change, one shows a change in every third report.",
        "A fall that is felt may have been a hard sitting down; a fall off the belt is not seen.",
    ]
    if guessed:
        points.append(
            f"{guessed} walks: no wall had measured this wearer's steps; speed, distance and step"
            " length are those of people at large, and 40 % too long for who is slow."
        )
    if undated:
        points.append(f"{undated} walks: the belt's clock was not set, their dates may be wrong.")
    if cut:
        points.append(f"{cut} walks ended with the belt switched off; their totals may lack 10 s.")
    if short:
        points.append(f"{short} walks of under a minute count for the dose alone.")
    if silent:
        points.append(f"{silent} of {len(sessions)} walks: nobody said how hard it was.")
    return f"<ul>{''.join(f'<li>{point}</li>' for point in points)}</ul>"


def _sources(dossier: Dossier) -> str:
    programme = dossier.course.plan if dossier.course else None
    trial = f"Programme: {programme.source} ({programme.found}). " if programme else ""
    return escape(
        f"{trial}Test: Carter V, et al. J Geriatr Phys Ther 2019;42(4):249-255; Polo-Ferrero L,"
        " et al. J Funct Morphol Kinesiol 2025;10(2):154. Trend: Theil-Sen with Sen's interval"
        " (J Am Stat Assoc 1968;63:1379-89)."
    )


def _number(value: float, digits: int, unit: str = "") -> str:
    return "–" if math.isnan(value) else f"{value:.{digits}f} {unit}".strip()
