"""The dashboard of deploy/ in Home Assistant's own pages, in a real Chromium."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from tests.home_assistant.hass import Hass

ARGUMENTS = ["--no-sandbox", "--disable-quic", "--disable-background-networking",
             "--disable-component-update", "--disable-sync", "--no-first-run"]  # fmt: skip
WITHIN = 60  # s; its pages are some megabytes of script
_TOP = {"x": 0.0, "y": 0.0, "width": 1180.0, "height": 920.0}


def seen(hass: Hass, path: str, *wanted: str, picture: Path | None = None) -> str:
    """What a caregiver reads on the dashboard once all that is wanted stands there.

    Its parts come one by one. `picture`: file for what it looks like. Raises AssertionError with
    what is there when something does not come.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=ARGUMENTS
        )
        try:
            page = browser.new_page(viewport={"width": 1180, "height": 1500})
            page.add_init_script(
                f"localStorage.setItem('hassTokens', {json.dumps(json.dumps(_tokens(hass)))})"
            )
            page.goto(f"{hass.url}/{path}", timeout=WITHIN * 1000)
            deadline = time.monotonic() + WITHIN
            while missing := [w for w in wanted if w not in (text := str(page.evaluate(_READ)))]:
                assert time.monotonic() < deadline, f"{missing} is not in {text!r}"
                page.wait_for_timeout(200)
            if picture:
                page.screenshot(path=picture, clip=_TOP)
        finally:
            browser.close()
    return text


def _tokens(hass: Hass) -> dict[str, Any]:
    """As the page keeps them once somebody has logged in."""
    return {
        **hass.tokens, "hassUrl": hass.url, "clientId": hass.url + "/",
        "expires": 4102444800000, "expires_in": 1800,
    }  # fmt: skip


# the text of a page whose parts are shadow roots
_READ = """() => {
  const read = (node) => {
    if (node.nodeType === Node.TEXT_NODE) return node.textContent.trim() + ' ';
    if (['STYLE', 'SCRIPT'].includes(node.nodeName)) return '';
    const inside = [...(node.shadowRoot ? node.shadowRoot.childNodes : []), ...node.childNodes];
    const name = /^HUI-|^CANVAS$/.test(node.nodeName) ? ' <' + node.nodeName + '> ' : '';
    return name + inside.map(read).join('');
  };
  return read(document.body).replace(/\\s+/g, ' ');
}"""
