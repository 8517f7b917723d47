"""The installed Chromium, and a page that writes down everything it complains about."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
HOW_TO_INSTALL = (
    "Chromium is not installed, and nothing here is tested without it. As root: "
    "`apt-get update && apt-get install -y chromium fonts-noto-cjk` (`make test` does so by itself)."
)
DESK, PHONE = 1280, 390
NEEDLESS = (
    "WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup", "AimEnabled", "LensOverlay", "MediaRouter",
    "OptimizationHints", "PaintHolding", "PreconnectToSearch", "HttpsUpgrades", "NetworkTimeServiceQuerying",
    "DestroyProfileOnBrowserClose", "AvoidUnnecessaryBeforeUnloadCheckSync", "ThirdPartyStoragePartitioning",
)  # fmt: skip
"""Parts of a desktop browser that nobody sees here. The address bar's alone are pages of their own in every window and cost
more than what is tested; the others are those that Playwright switches off, of which only the last list counts."""
HEIGHTS = {DESK: 900, PHONE: 844}
_LISTEN = """
window.__violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.__violations.push(`${event.effectiveDirective} blocked ${event.blockedURI} at ${event.sourceFile}:${event.lineNumber}`);
});
"""


class ChromiumMissing(Exception):
    """No Chromium on this machine; the message says how to install it."""


def executable() -> str:
    found = next((path for path in map(shutil.which, NAMES) if path), None)
    if found is None:
        raise ChromiumMissing(HOW_TO_INSTALL)
    return found


def launch(playwright: Playwright) -> Browser:
    return playwright.chromium.launch(
        executable_path=executable(),
        args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", f"--disable-features={','.join(NEEDLESS)}"],
    )


@dataclass
class Window:
    """One window of a browser: its page, and what went wrong in it."""

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str) -> "Window":
        answer = self.page.goto(f"{self.url}{path}" if path.startswith("/") else path)
        assert answer is not None
        assert answer.status < 400, f"{path} answers {answer.status}"
        self.page.wait_for_load_state("networkidle")
        return self

    def sign_in(self, role: str) -> "Window":
        """Enter as the demonstration account of a role, by the development panel."""
        self.open("/dev/sign-in")
        self.page.locator(f"button:has([data-role='{role}'])").first.click()
        self.page.wait_for_load_state("networkidle")
        return self

    def violations(self) -> list[str]:
        """Breaches of the content security policy on the present page."""
        return list(self.page.evaluate("window.__violations"))

    def overflow(self) -> int:
        """Pixels by which the page is wider than the window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))

    def axe(self) -> list[str]:
        """What axe-core finds, one line a rule."""
        found: list[dict[str, Any]] = Axe().run(self.page).response["violations"]
        return [f"{v['id']} ({v['impact']}): {v['help']}: {[n['html'][:160] for n in v['nodes'][:3]]}" for v in found]

    def faults(self) -> list[str]:
        """Everything that is wrong with the present page: for axe, for the browser, and wider than its window."""
        wider = [f"{over} px wider than the window"] if (over := self.overflow()) > 0 else []
        return [*self.axe(), *self.violations(), *self.complaints, *wider]

    def picture(self, path: Path, *, full_page: bool = False) -> None:
        self.page.screenshot(path=str(path), full_page=full_page)


def opened(
    browser: Browser,
    url: str,
    *,
    width: int = DESK,
    theme: str = "light",
    language: str = "zh-CN",
    state: Any = None,
) -> Window:
    """Open a fresh window; `state` are the cookies of somebody who is signed in elsewhere."""
    context = browser.new_context(
        viewport={"width": width, "height": HEIGHTS[width]},
        color_scheme="dark" if theme == "dark" else "light",
        locale=language,
        timezone_id="Asia/Shanghai",
        has_touch=width == PHONE,
        reduced_motion="reduce",
        storage_state=state,
    )
    context.add_init_script(_LISTEN)
    context.set_default_timeout(60_000)
    page = context.new_page()
    made = Window(page, url)

    def note(message: ConsoleMessage) -> None:
        if message.type == "error":
            made.complaints.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: made.complaints.append(str(error)))
    return made


@contextmanager
def window(browser: Browser, url: str, **kind: Any) -> Iterator[Window]:
    """A fresh window that is closed at the end."""
    made = opened(browser, url, **kind)
    try:
        yield made
    finally:
        made.page.context.close()
