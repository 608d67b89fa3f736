"""The report in a real Chromium: on paper, on a phone, and under the page's policy."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from service.dossier import gather
from service.report import report
from service.store import Store
from service.walks import Walks
from tests.browser.test_page import CONTRAST
from tests.service.walked import START, record, year

WIDER = """() => [...document.querySelectorAll('table, svg, dl, ul, p')].filter((e) =>
  e.getBoundingClientRect().right > e.parentElement.getBoundingClientRect().right + 1)
  .map((e) => e.outerHTML.slice(0, 80))"""


def crowded(weeks: int, *, better: bool) -> list[dict[str, object]]:
    """As much as a report may have to hold: every kind of event, many falls, a long screening."""
    events = ("fall", "long_lie", "sos", "unsteady", "rear_blind", "not_guarding")
    more = [
        record(event, START + timedelta(weeks=weeks - 1, hours=n), 90_000 + 10 * n + k,
               kind="alert", level="danger", state="cancelled", alert_id=f"{event}{n}",
               by="button")
        for k, event in enumerate(events) for n in range(9)
    ]  # fmt: skip
    refused = "refuse: " + "; ".join(["osteoporosis: a fall breaks bones [ours, SAFETY.md]"] * 8)
    asked = record("screening", START + timedelta(weeks=weeks - 1), 95_000, detail=refused)
    return [*year(weeks, better=better), *more, asked]


@pytest.mark.parametrize("weeks", [1, 6, 52])
def test_two_pages_of_a4_and_no_sideways_scrolling(
    chromium: Browser, tmp_path: Path, weeks: int
) -> None:
    store = Store(tmp_path / "store.sqlite")
    store.take(crowded(weeks, better=weeks != 6))
    store.close()
    walks = Walks(tmp_path / "store.sqlite")
    file = tmp_path / "report.html"
    file.write_text(report(gather(walks, "anna", START + timedelta(weeks=weeks)), "belt"))
    walks.close()
    page = chromium.new_page()
    page.goto(file.as_uri())
    printed = page.pdf(prefer_css_page_size=True, print_background=True)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 2
    assert re.search(rb"/MediaBox\s*\[\s*0 0 59[45][\d.]* 84[12]", printed), "A4"
    for width in (320, 390, 703, 1100):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate(WIDER) == [], "it sticks out of its column"
        assert page.evaluate("document.documentElement.scrollWidth") <= width, "it scrolls sideways"
    assert page.evaluate(CONTRAST) == [], "below 4.5:1 (WCAG 2.1, 1.4.3)"
    page.close()
