"""Draws the pictures of service/README.md anew: `python -m tests.browser.pictures`.

The demo with a simulated wearer, in a real Chromium. Not a test: who runs it looks at what it made.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.conftest import ARGUMENTS
from tests.conftest import ROOT
from tests.service.belt import free_port

PICTURES = ROOT / "service" / "pictures"
PATIENCE = 60_000  # ms


@contextmanager
def demo(scenario: str, seconds: int) -> Iterator[str]:
    """The page's address while the demo runs."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-c", "import sys; from device.cli import main; sys.exit(main())", "demo",
         "--scenario", scenario, "--seconds", str(seconds), "--port", str(port)],
        cwd=ROOT, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        process.wait(20)


def show(browser: Browser, url: str, *, width: int, height: int, dark: bool = False) -> Page:
    scheme = "dark" if dark else "light"
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
    for _ in range(100):
        try:
            page.goto(url)
            break
        except Exception:  # noqa: BLE001 — the demo is on its way up
            page.wait_for_timeout(200)
    expect(page.locator("#guard-word")).to_have_text("Guarding", timeout=PATIENCE)
    return page


def main() -> None:
    program = shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        with demo("chair", 60) as url:
            page = show(browser, url, width=1100, height=1500)
            expect(page.locator("#list")).to_contain_text("obstacle", timeout=PATIENCE)
            page.wait_for_timeout(500)
            page.screenshot(path=PICTURES / "page.png")
            page.close()
        with demo("fall", 90) as url:
            page = show(browser, url, width=390, height=844, dark=True)
            expect(page.locator("#urgent")).to_contain_text("fall", timeout=PATIENCE)
            page.screenshot(path=PICTURES / "phone.png")
            recording = page.get_by_role("button", name="Recording of").first
            expect(recording).to_be_visible(timeout=PATIENCE)
            page.set_viewport_size({"width": 900, "height": 820})
            recording.click()
            expect(page.locator("#recording .chart")).to_have_count(3, timeout=PATIENCE)
            page.screenshot(path=PICTURES / "recording.png")
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
