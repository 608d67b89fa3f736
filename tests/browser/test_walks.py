"""The wearer's page in a real Chromium, fed by a real service: on a phone, and by keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from device.questions import PLACE, QUESTIONS
from tests.browser.conftest import phone
from tests.browser.test_page import CONTRAST
from tests.service.belt import Device, Service, configure, free_port, until

SAID: dict[str, Any] = {"kind": "session", "level": "info", "alert_id": "", "wearer": "anna"}


def totals(dose_s: float) -> dict[str, float]:
    return {"elapsed_s": dose_s * 1.4, "dose_s": dose_s, "goal_s": 720.0, "distance_m": dose_s / 2,
            "speed_m_s": 0.5, "step_time_cv": 0.05}  # fmt: skip


@pytest.fixture(scope="module")
def belt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Device, Service]]:
    folder: Path = tmp_path_factory.mktemp("walks")
    config = configure(folder, mqtt_port=free_port())
    (plans := folder / "data" / "plans").mkdir(parents=True)
    phases = '[[phase]]\ndo = "backward"\nseconds = 60\n'
    (plans / "garden.toml").write_text(f'title = "Round the garden"\ngoal_min = 5\n{phases}')
    device = Device(folder)
    device.say("screening", state="confirmed", detail="allow: nothing speaks against it", **SAID)
    device.say(
        "stop", state="cleared", detail="dose", session="w1", measurements=totals(700), **SAID
    )
    service = Service(config)
    yield device, service
    service.kill()
    device.stop()


@pytest.fixture
def device(belt: tuple[Device, Service]) -> Device:
    belt[0].requests.clear()
    return belt[0]


@pytest.fixture
def page(chromium: Browser, belt: tuple[Device, Service]) -> Iterator[Page]:
    with phone(chromium, f"{belt[1].url}/walks") as page:
        expect(page.locator("#wearer")).to_have_value("anna")
        yield page


def asked(device: Device, command: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = until(
        lambda: [r for r in list(device.requests) if r["command"] == command]
    )
    return found[-1]


def test_a_walk_is_begun_with_a_plan_and_stopped_by_keyboard(page: Page, device: Device) -> None:
    page.locator("#plan").focus()
    page.keyboard.type("gentle")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert asked(device, "start")["plan"] == "gentle"
    expect(page.locator("#said")).to_have_text("the motor was felt")  # what this device answers
    expect(page.locator("#stop")).to_be_enabled()  # it ends a test or a hand's wait as well
    device.say("progress", session="w2", detail="backward", measurements=totals(180), **SAID)
    expect(page.locator("#state")).to_have_text("Walking backward: 3.0 of 12 min")
    for name in ("start", "perception", "walk-test"):
        expect(page.locator(f"#{name}")).to_be_disabled()
    page.locator("#stop").focus()
    page.keyboard.press("Enter")
    asked(device, "stop")
    device.say(
        "stop", state="cleared", session="w2", detail="button", measurements=totals(200), **SAID
    )
    expect(page.locator("#state")).to_have_text("No walk under way")
    expect(page.locator("#start")).to_be_enabled()
    expect(page.locator("#list li").first).to_contain_text("3.3 min backward · about 100 m")


def test_a_walk_that_nothing_is_heard_of_is_not_shown_as_it_was(page: Page, device: Device) -> None:
    device.say("progress", session="w4", detail="backward", measurements=totals(60), **SAID)
    expect(page.locator("#state")).to_have_text("Walking backward: 1.0 of 12 min")
    page.route(
        "**/api/v1/wearers",
        lambda route: route.fulfill(
            json={**route.fetch().json(), "time": "2999-01-01T00:00:00.000+00:00"}
        ),
    )
    expect(page.locator("#state")).to_contain_text("No word of the walk for")
    expect(page.locator("#start")).to_be_enabled()
    device.say("stop", state="cleared", session="w4", measurements=totals(60), **SAID)


def test_an_effort_is_said(page: Page) -> None:
    item = page.locator("#list li", has_text="11.7 min backward")
    item.get_by_role("combobox").select_option("4")
    item.get_by_role("button", name="Say").click()
    expect(page.locator("#said")).to_have_text("Effort 4 is kept")
    expect(item).to_contain_text("effort 4")
    expect(item.get_by_role("combobox")).to_have_count(0)


def test_the_screening_is_answered_by_keyboard(page: Page, device: Device) -> None:
    page.locator("summary").focus()
    page.keyboard.press("Enter")
    for name in QUESTIONS:
        page.locator(f"input[name={name}][value=false]").focus()
        page.keyboard.press("Space")
    page.locator("input[name=dizziness][value=false]").focus()
    page.keyboard.press("ArrowLeft")
    page.get_by_role("button", name="Send the answers").focus()
    page.keyboard.press("Enter")
    expected = {**dict.fromkeys(QUESTIONS, False), "dizziness": True}
    assert asked(device, "screening")["answers"] == expected


def test_a_question_left_out_sends_nothing(page: Page, device: Device) -> None:
    page.locator("summary").click()
    page.locator("input[name=dizziness][value=false]").check()
    page.get_by_role("button", name="Send the answers").click()
    expect(page.locator("#said")).to_be_hidden()
    assert [r for r in device.requests if r["command"] == "screening"] == []


def test_a_programme_is_begun_and_its_goal_shown(page: Page) -> None:
    page.locator("#programme").select_option("six-weeks")
    expect(page.locator("#source")).to_contain_text("Alghadir")
    page.get_by_role("button", name="Begin today").click()
    expect(page.locator("#goal")).to_contain_text("3 sessions of 10 min walking backward")


def test_the_wearer_is_changed_and_tests_are_begun(page: Page, device: Device) -> None:
    page.locator("#wearer").fill("bert")
    page.locator("#wearer").press("Enter")
    assert asked(device, "profile")["name"] == "bert"
    tests = {"Are buzzes felt?": "perception", "3-metre backward walk": "walk_test"}
    for button, command in tests.items():
        page.get_by_role("button", name=button).click()
        assert asked(device, command)
        expect(page.locator("#said")).to_have_text("the motor was felt")


def test_a_report_is_a_link_away(page: Page) -> None:
    page.get_by_role("link", name="Report").click()
    expect(page.locator("h1")).to_contain_text("anna")
    expect(page.locator("h2").first).to_have_css("color", "rgb(11, 90, 143)")  # its style is let in


def test_names_from_outside_are_no_markup(page: Page, device: Device) -> None:
    device.say(
        "stop", state="cleared", session="w3", detail="<b>x</b>", measurements=totals(60), **SAID
    )
    expect(page.locator("#list")).to_contain_text("<b>x</b>")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_and_can_be_read(page: Page, scheme: Literal["light", "dark"]) -> None:
    page.emulate_media(color_scheme=scheme)
    page.locator("summary").click()
    for width in (320, 390, 1100):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, "it scrolls sideways"
    assert page.evaluate(CONTRAST) == [], "below 4.5:1 (WCAG 2.1, 1.4.3)"
    nameless = """() => [...document.querySelectorAll('input, select, button')].filter((e) =>
      !(e.labels?.length || e.ariaLabel || e.textContent.trim())).map((e) => e.outerHTML)"""
    assert page.evaluate(nameless) == []
    expect(page.locator("#place li")).to_have_count(len(PLACE))


def test_the_wearers_own_plans_are_offered_as_well(page: Page) -> None:
    names = page.locator("#plan option").evaluate_all("all => all.map((one) => one.value)")
    assert names == ["", "gentle", "intervals", "steady", "garden"]
    assert page.locator("#plan option").last.text_content() == "Round the garden"
