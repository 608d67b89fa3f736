"""The dashboard of deploy/ in Home Assistant's own pages, in a real Chromium."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from tests.home_assistant.hass import Hass

ARGUMENTS = ["--no-sandbox", "--disable-quic", "--disable-background-networking",
             "--disable-component-update", "--disable-sync", "--no-first-run"]  # fmt: skip
WITHIN = 60_000  # ms; its pages are some megabytes of script


def seen(hass: Hass, path: str, wanted: str, picture: Path | None = None) -> str:
    """What a caregiver reads on the dashboard once `wanted` stands there; and a picture of it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=ARGUMENTS
        )
        page = browser.new_page(viewport={"width": 1180, "height": 900})
        page.add_init_script(
            f"localStorage.setItem('hassTokens', {json.dumps(json.dumps(_tokens(hass)))})"
        )
        page.goto(f"{hass.url}/{path}", timeout=WITHIN)
        page.get_by_text(wanted).first.wait_for(timeout=WITHIN)
        page.wait_for_timeout(1500)  # its cards come one by one
        text = str(page.evaluate(_READ))
        if picture:
            page.screenshot(path=picture, clip={"x": 0, "y": 0, "width": 1180, "height": 520})
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
    const name = node.nodeName.startsWith('HUI-') ? ' <' + node.nodeName + '> ' : '';
    return name + inside.map(read).join('');
  };
  return read(document.body).replace(/\\s+/g, ' ');
}"""
