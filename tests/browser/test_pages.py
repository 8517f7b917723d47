"""The pages people meet first, at a desk and on a phone, in light and dark: accessible, inside the window, nothing inline."""

from collections.abc import Callable

import pytest

from tests.browser.chromium import DESK, PHONE, Window
from tests.browser.story import Played

pytestmark = [pytest.mark.browser]

Look = Callable[..., Window]


@pytest.mark.parametrize(("width", "theme"), [(DESK, "light"), (PHONE, "dark")])  # each width and each theme once
def test_pages_are_accessible_and_fit(look: Look, played: Played, width: int, theme: str) -> None:
    faults: list[str] = []
    for place in played.places:
        window = look(width=width, theme=theme, state=played.state_of(place.role)).open(place.path)
        faults += [f"{place.name}: {found}" for found in (*window.axe(), *window.violations(), *window.complaints)]
        if window.overflow() > 0:
            faults.append(f"{place.name} is {window.overflow()} px wider than the window")
    assert faults == []


def test_the_theme_is_remembered(look: Look) -> None:
    window = look().open("/sign-in")
    theme = "document.documentElement.getAttribute('data-bs-theme')"
    assert window.page.evaluate(theme) == "light"
    window.page.locator("[data-theme-switch]").click()
    assert window.page.evaluate(theme) == "dark"
    window.open("/sign-in")
    assert window.page.evaluate(theme) == "dark"
    assert window.violations() == []


def test_the_language_is_remembered(look: Look) -> None:
    window = look().open("/sign-in")
    assert window.page.locator("html").get_attribute("lang") == "zh-Hans"
    window.page.get_by_role("button", name="English").click()
    window.page.wait_for_load_state("networkidle")
    assert window.page.locator("html").get_attribute("lang") == "en"
    assert window.open("/check").page.locator("html").get_attribute("lang") == "en"


def test_the_region_picker_sends_the_code(look: Look) -> None:
    window = look().open("/styleguide")
    picker = window.page.locator("[data-region-picker][data-required]").first
    picker.get_by_label("省").select_option("330000")
    picker.get_by_label("市", exact=True).select_option("330100")
    picker.get_by_label("县").select_option("330106")
    assert picker.locator("input[name=region]").input_value() == "330106"


def test_a_dangerous_button_asks_first(look: Look) -> None:
    window = look().open("/styleguide")
    sent: list[str] = []
    window.page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    window.page.locator("button[data-confirm]").first.click()
    dialog = window.page.locator("dialog#ask")
    assert dialog.is_visible()
    dialog.get_by_role("button", name="取消").click()
    assert not dialog.is_visible()
    assert sent == []


def test_the_menu_opens_on_a_phone(look: Look) -> None:
    window = look(width=PHONE).open("/sign-in")
    assert not window.page.locator(".site-nav-fold a").first.is_visible()
    window.page.locator(".site-nav-fold summary").click()
    assert window.page.locator(".site-nav-fold a").first.is_visible()
