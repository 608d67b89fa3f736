"""The technician's page in a real Chromium, fed by a real service."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from device.alerts import Record
from device.frames import Guard
from tests.browser.conftest import phone
from tests.service.belt import Device, Service, configure, free_port, make_token
from tests.service.test_recordings import keep

AXE = Axe()
expect.set_options(timeout=10_000)  # ms; a busy machine is no failure


@pytest.fixture(scope="module")
def belt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Device, Service]]:
    folder = tmp_path_factory.mktemp("belt")
    config = configure(folder, mqtt_port=free_port())
    device = Device(folder)
    service = Service(config)
    yield device, service
    service.process.send_signal(signal.SIGCONT)
    assert service.stop() == 0
    device.stop()


@pytest.fixture
def device(belt: tuple[Device, Service]) -> Iterator[Device]:
    yield belt[0]
    belt[0].blind = belt[0].frozen = False
    belt[0].frame.guard, belt[0].frame.distance = Guard.FULL, 2.5


@pytest.fixture
def page(chromium: Browser, belt: tuple[Device, Service]) -> Iterator[Page]:
    with phone(chromium, belt[1].url) as page:
        yield page


def test_one_glance_tells_whether_the_wearer_is_guarded(page: Page, device: Device) -> None:
    word = page.locator("#guard-word")
    expect(word).to_have_text("Guarding")
    expect(page.locator("#guard-icon .full")).to_have_css("display", "inline")
    expect(page.locator("#source")).to_have_text("simulated wearer (test)")
    expect(page.locator("#distance")).to_have_text("2.50 m")
    expect(page.locator("#direction")).to_have_text("backward")
    expect(page.locator("#lean")).to_have_text("3° back")

    device.blind, device.frame.guard, device.frame.distance = True, Guard.NO_REAR, float("nan")
    expect(word).to_have_text("Not looking behind")
    expect(page.locator("#guard-icon .part")).to_have_css("display", "inline")
    expect(page.locator("#stream-rear")).to_contain_text("stale")
    expect(page.locator("#distance")).to_have_text("not known")

    device.frozen = True
    expect(word).to_have_text("Not guarding: the belt is silent")
    expect(page.locator("#guard-icon .none")).to_have_css("display", "inline")
    expect(page.locator("#speed")).to_have_text("–")
    expect(page.locator("#list")).to_contain_text("not guarding")

    device.frozen = device.blind = False
    device.frame.guard = Guard.FULL
    expect(word).to_have_text("Guarding")
    expect(page.locator("#list li").first).to_contain_text("cleared")


def test_a_page_that_hears_nothing_says_how_old_it_is(
    page: Page, device: Device, belt: tuple[Device, Service]
) -> None:
    expect(page.locator("#guard-word")).to_have_text("Guarding")
    expect(page.locator("#stale")).to_be_hidden()
    belt[1].process.send_signal(signal.SIGSTOP)  # the connection stays, silent
    expect(page.locator("#stale")).to_have_text("No connection to the belt: data is 2 s old")
    expect(page.locator("#guard-word")).to_have_text("Not known")
    expect(page.locator("#stale")).to_contain_text("data is 3 s old")
    belt[1].process.send_signal(signal.SIGCONT)
    expect(page.locator("#stale")).to_be_hidden()
    expect(page.locator("#guard-word")).to_have_text("Guarding")


def test_it_comes_back_by_itself_when_the_service_does(
    chromium: Browser, belt: tuple[Device, Service], tmp_path: Path
) -> None:
    config = configure(tmp_path, mqtt_port=free_port(), http="")
    text = config.read_text().replace("port = 0", f"port = {free_port()}")
    config.write_text(text.replace('"run"', f'"{belt[0].journal.parents[1] / "run"}"'))
    service = Service(config)
    page = chromium.new_page()
    try:
        page.goto(service.url)
        expect(page.locator("#guard-word")).to_have_text("Guarding")
        service.kill()
        expect(page.locator("#stale")).to_contain_text("data is 2 s old")
        expect(page.locator(".chart .value").first).to_have_text("–")
        page.get_by_role("button", name="Self-test with the motor").click()
        expect(page.locator("#test-result")).to_contain_text("the service does not answer")
        service.start()
        expect(page.locator("#stale")).to_be_hidden(timeout=20_000)
        expect(page.locator("#guard-word")).to_have_text("Guarding")
    finally:
        page.close()
        service.kill()


def test_the_motor_test_and_an_acknowledge_by_keyboard(page: Page, device: Device) -> None:
    expect(page.locator("#guard-word")).to_have_text("Guarding")
    page.locator("#test").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#test-result")).to_contain_text("All that guards is fresh")
    expect(page.locator("#test-result")).to_contain_text("the motor was felt")
    expect(page.locator("#test-list")).to_contain_text("Motion sensor: fresh")

    expect(page.locator("#urgent")).to_be_hidden()
    device.say("fall", "danger", detail="<b>not markup</b>")
    item = page.locator("#list li", has_text="fall")
    expect(item).to_contain_text("<b>not markup</b>")
    expect(item).to_contain_text("waiting to be sent")
    expect(page.locator("#urgent")).to_contain_text("go there if there is no answer")
    page.evaluate("document.querySelector('#urgent p').dataset.read = 'once'")
    device.say("obstacle", "warning")
    expect(page.locator("#list")).to_contain_text("obstacle")
    read = page.locator("#urgent p").get_attribute("data-read")
    assert read == "once", "what has not changed is not read out again"
    item.get_by_role("button", name="Acknowledge fall").focus()
    page.keyboard.press("Enter")
    expect(item).to_contain_text("acknowledged")
    expect(item).to_contain_text("by http")
    expect(item.get_by_role("button")).to_have_count(0)  # hidden ones do not count


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_and_can_be_read(
    page: Page, device: Device, scheme: Literal["light", "dark"]
) -> None:
    alert_id = device.say("fall", "danger", detail="an impact of 45 m/s² and then no movement")
    keep(device.journal.parent / "recordings", device, alert_id)
    page.emulate_media(color_scheme=scheme)
    expect(page.locator("#guard-word")).to_have_text("Guarding")
    for width in (320, 390, 1100):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, "it scrolls sideways"
        assert page.evaluate(CUT_OFF) == [], "something is wider than its place"
    assert page.evaluate(CONTRAST) == [], "below 4.5:1 (WCAG 2.1, 1.4.3)"


# elements whose content is wider than they are; tables may be scrolled on purpose
CUT_OFF = """() => [...document.querySelectorAll("main *:not(svg *)")]
  .filter((e) => e.scrollWidth > e.clientWidth + 1 && e.clientWidth && !e.closest(".wide"))
  .map((e) => `${e.tagName} ${e.id} ${e.textContent.trim().slice(0, 40)}`)"""

# every element with text of its own, against the nearest background that is painted
CONTRAST = """() => {
  const parse = (c) => c.match(/[\\d.]+/g).map(Number);
  const light = (c) => [0.2126, 0.7152, 0.0722].reduce((sum, w, i) => {
    const s = c[i] / 255;
    return sum + w * (s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4);
  }, 0);
  const faint = [];
  for (const e of document.querySelectorAll("body *")) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !e.offsetParent || e.closest("svg")) continue;
    let b = e, back = [0, 0, 0, 0];
    while (b && (back = parse(getComputedStyle(b).backgroundColor))[3] === 0) b = b.parentElement;
    const [x, y] = [light(parse(getComputedStyle(e).color)), light(back)].sort((p, q) => q - p);
    const ratio = (x + 0.05) / (y + 0.05);
    if (ratio < 4.5) faint.push(`${e.tagName} ${e.textContent.trim()}: ${ratio.toFixed(2)}`);
  }
  return faint;
}"""


def test_the_last_minute_is_drawn_with_its_gaps(page: Page, device: Device) -> None:
    device.frame.lateness = 0.0123
    lateness = page.locator(".chart", has_text="Lateness")
    expect(lateness.locator(".value")).to_have_text("12.3 ms")
    expect(lateness.locator(".top")).to_have_text("12.3")
    distance = page.locator(".chart", has_text="Distance behind")
    expect(distance.locator(".value")).to_have_text("2.50 m")
    expect(distance.get_by_role("img")).to_have_attribute(
        "aria-label", "Distance behind, 60 s ago to now: from 2.50 m to 2.50 m"
    )
    band = distance.locator(".band")
    assert str(band.get_attribute("d")).count("M") == 1
    device.frame.distance = float("nan")
    expect(distance.locator(".value")).to_have_text("–")
    device.frame.distance = 1.0
    expect(distance.locator(".value")).to_have_text("1.00 m")
    page.wait_for_function(
        "document.querySelector('.band').getAttribute('d').split('M').length > 2"
    )


def test_an_alert_its_chain_and_its_recording(
    page: Page, device: Device, belt: tuple[Device, Service]
) -> None:
    alert_id = device.say("fall_imminent", "danger")
    for event, state in (
        ("fall", "raised"),
        ("fall", "acknowledged"),
        ("fall_cancelled", "raised"),
    ):
        record = {"by": "button"} if event == "fall_cancelled" else {}
        level = "info" if event == "fall_cancelled" else "danger"
        device.recorder.put(
            Record("alert", event, level, state, alert_id, device.frame.tick, **record)
        )
    item = page.locator("#list > li", has_text="by button")
    expect(item.locator(".name")).to_have_text("fall")
    expect(item).to_contain_text("cancelled")
    expect(item.get_by_role("button", name="Recording")).to_have_count(0)
    item.get_by_text("What happened").click()
    steps = item.locator("details li")
    expect(steps).to_have_count(4)
    expect(steps.first).to_contain_text("fall imminent, danger, raised")
    expect(steps.last).to_contain_text("fall cancelled, info, raised by button")
    device.say("obstacle", "warning")  # the list changes under an open chain
    expect(page.locator("#list > li").first).to_contain_text("obstacle")
    expect(steps.first).to_be_visible()

    name = keep(device.journal.parent / "recordings", device, alert_id)
    item.get_by_role("button", name="Recording of fall").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator(".chart")).to_have_count(3)
    expect(dialog.locator(".chart", has_text="Specific force").locator(".top")).to_have_text("45.0")
    marks = dialog.locator("#recording-marks")
    for step in ("fall imminent, danger, raised", "fall cancelled, info, raised by button"):
        expect(marks).to_contain_text(step)
    expect(dialog.locator(".labels b").first).to_have_text("1")
    with page.expect_download() as download:
        dialog.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == f"{name}.zip"
    assert AXE.run(page).violations_count == 0, AXE.run(page).generate_report()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_the_support_bundle_is_one_click(page: Page) -> None:
    with page.expect_download() as download:
        page.get_by_role("link", name="Support bundle").click()
    assert download.value.suggested_filename == "rearguard-test.zip"


def test_sessions_are_listed(page: Page, device: Device) -> None:
    totals = {"dose_s": 300.0, "steps": 412, "distance_m": 180.0}
    for event, state in (("start", "raised"), ("stop", "cleared")):
        device.recorder.put(
            Record(
                "session", event, state=state, t=device.frame.tick, session="s1", wearer="Ada",
                detail="dose", measurements=totals if event == "stop" else {},
            )
        )  # fmt: skip
    page.wait_for_function(
        "fetch('/api/v1/sessions').then(a => a.json())"
        ".then(a => a.sessions[0]?.state === 'cleared')"
    )
    page.reload()
    row = page.locator("#session-list tr")
    expect(row).to_contain_text("Ada")
    expect(row).to_contain_text("5.0 min")
    expect(row).to_contain_text("412")
    expect(page.get_by_role("link", name="Report on Ada")).to_be_visible()


def test_it_is_light_and_needs_nothing_from_elsewhere(
    chromium: Browser, belt: tuple[Device, Service]
) -> None:
    page = chromium.new_page()
    asked: dict[str, int] = {}
    page.on(
        "response",
        lambda r: asked.update({r.url: len(r.body()) if "events" not in r.url else 0}),
    )
    page.goto(belt[1].url)
    expect(page.locator("#guard-word")).to_have_text("Guarding")
    page.wait_for_load_state("load")
    assert all(url.startswith((belt[1].url, "data:")) for url in asked)
    assert 10_000 < sum(asked.values()) < 200_000, asked
    page.close()


def test_all_of_it_can_be_reached_by_keyboard_and_it_shows_where_one_is(page: Page) -> None:
    expect(page.locator("#guard-word")).to_have_text("Guarding")
    reached = []
    for _ in range(200):
        page.keyboard.press("Tab")
        text, outline, again = page.evaluate(FOCUSED)
        if again:
            break
        reached.append(text)
        assert outline == "solid", f"it cannot be seen that one is at {text}"
    assert {"Skip to the alerts", "Self-test with the motor", "Support bundle"} <= set(reached)
    visible = page.locator("button:visible, a:visible, summary:visible").count()
    assert len(reached) >= visible, "something that can be clicked cannot be reached"


# what has the focus: its text, its outline, and whether it had it before
FOCUSED = """() => {
  const e = document.activeElement, again = e === document.body || e.dataset.seen === "1";
  e.dataset.seen = "1";
  return [e.textContent, getComputedStyle(e).outlineStyle, again];
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("lost", [False, True])
def test_axe_finds_no_barrier(
    page: Page, device: Device, belt: tuple[Device, Service], scheme: Literal["light", "dark"],
    lost: bool,
) -> None:  # fmt: skip
    """axe-core with all its rules, guarding and lost, light and dark, an alert of danger open."""
    page.emulate_media(color_scheme=scheme)
    device.say("sos", "danger")
    expect(page.locator("#urgent")).to_contain_text("sos")
    page.locator("#list summary").first.click()
    if lost:
        belt[1].process.send_signal(signal.SIGSTOP)
        expect(page.locator("#stale")).to_be_visible()
    found = AXE.run(page)
    belt[1].process.send_signal(signal.SIGCONT)
    assert found.violations_count == 0, found.generate_report()


def test_the_picture_and_the_icons_have_their_words(page: Page) -> None:
    expect(page.get_by_role("img", name="Distance behind the wearer")).to_be_visible()
    expect(page.get_by_role("status").first).to_have_text("Guarding")
    expect(page.get_by_role("button", name="Self-test with the motor")).to_be_visible()
    levels = page.locator(".level").all_inner_texts()
    assert all(levels), "a level is a word, not a colour"


def test_beyond_loopback_the_form_lets_in(
    chromium: Browser, belt: tuple[Device, Service], tmp_path: Path
) -> None:
    """The form and its cookie, tried on loopback with a token: there the page asks at a change."""
    token = make_token(tmp_path, "phone", "operate")
    config = configure(tmp_path, mqtt_port=free_port())
    text = config.read_text().replace('"run"', f'"{belt[0].journal.parents[1] / "run"}"')
    config.write_text(text)
    service = Service(config)
    try:
        page = chromium.new_page()
        page.goto(service.url)
        page.get_by_role("button", name="Self-test with the motor").click()
        page.get_by_role("link", name="Log in").click()
        page.get_by_label("Token for this belt").fill("guessed")
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("alert")).to_contain_text("knows no such token")
        page.get_by_label("Token for this belt").fill(token)
        page.get_by_role("button", name="Log in").click()
        expect(page.locator("#guard-word")).to_have_text("Guarding")
        page.get_by_role("button", name="Self-test with the motor").click()
        expect(page.locator("#test-result")).to_contain_text("the belt took it")
        page.close()
    finally:
        service.kill()
