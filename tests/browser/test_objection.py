"""An objection from its filing to the public register, in the browser, on a desk and on a phone."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.browser.chromium import DESK, PHONE, Window
from tests.processes import Product

pytestmark = [pytest.mark.browser]

Look = Callable[..., Window]
ROOT = Path(__file__).parents[2]
PUBLISH = """
from datetime import datetime, time, timedelta
from app.factory import create_app
from app.identity.authentication import actor_of
from app.identity.services.demonstration import ensure_demo_accounts
from app.kernel import clock, work_calendar
from app.kernel.access import Role
from app.kernel.commands import Plain
from app.settings import Settings
from marketplace.services import procurements
from tests.marketplace.procurement_builders import a_draft, an_item

with create_app(Settings.from_env()).app_context():
    panel = {role: actor_of(a.user_id, a.organisation_id, role, a.name) for role, a in ensure_demo_accounts().items()}
    last = work_calendar.current().add_working_days(clock.today(), 6)
    ends_at = datetime.combine(last, time(17), clock.BEIJING)
    made = procurements.draft_notice(panel[Role.OWNER], a_draft(an_item(), registration_ends_at=ends_at))
    procurements.submit_notice(panel[Role.OWNER], made, Plain())
    procurements.publish_notice(panel[Role.OPERATOR], made, Plain())
    print("made", made)
"""


def a_public_notice(product: Product) -> str:
    """The id of a notice that is open for registration, written by another process of the product."""
    done = subprocess.run(
        [sys.executable, "-c", PUBLISH],
        cwd=ROOT,
        env=dict(product.environment),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.rsplit("made ", maxsplit=1)[1].strip()


def fit(window: Window) -> None:
    """The present page is accessible, fits its window and breaks no rule of the browser."""
    assert window.faults() == []


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_an_objection_is_filed_answered_and_published(look: Look, product: Product, width: int, tmp_path: Path) -> None:
    notice = a_public_notice(product)
    challenger = look(width=width, language="en").sign_in("applicant")
    challenger.open(f"/procurements/{notice}")
    challenger.page.get_by_role("link", name="Object or raise a query").click()
    challenger.page.wait_for_load_state("networkidle")
    fit(challenger)
    challenger.page.get_by_role("button", name="File it").click()  # empty: it comes back with what is missing
    challenger.page.locator("[aria-invalid=true]").first.wait_for()
    challenger.complaints.clear()  # the console notes the 422 of the empty form
    for name, words in (
        ("claim", "请求删除“须在本区设有分支机构”的条件。"),
        ("grounds", "要求设立分支机构属于限制竞争的不合理条件。"),
        ("contact_phone", "13900000001"),
    ):
        challenger.page.locator(f"[name={name}]").fill(words)
    challenger.page.get_by_role("button", name="File it").click()
    challenger.page.wait_for_url(re.compile(r"/challenges/[0-9a-f-]{36}$"))
    address = challenger.page.url
    number = challenger.page.locator("main").inner_text().split("YY-")[1][:11]
    fit(challenger)
    challenger.picture(tmp_path / f"objection-{width}.png", full_page=True)
    challenger.open(f"/procurements/{notice}")
    assert "The period stands still" in challenger.page.locator("main").inner_text()

    owner = look(width=width, language="en").sign_in("owner")
    owner.open("/challenges/desk")
    fit(owner)
    owner.open(address)
    owner.page.get_by_role("link", name="Answer: not justified").click()
    owner.page.locator("[name=decision]").fill("该条件依据行业管理规定设置，符合要求。")
    owner.page.locator("[name=public_summary]").fill("经核查，条件设置符合规定。")
    fit(owner)
    owner.page.get_by_role("button", name="Answer: not justified").click()
    owner.page.wait_for_url(address)
    fit(owner)

    challenger.open(address)
    challenger.page.get_by_role("button", name="Confirm the receipt of the decision").click()
    challenger.page.wait_for_load_state("networkidle")
    fit(challenger)
    visitor = look(width=width, language="en").open(f"/challenges?q=YY-{number}")
    assert "经核查，条件设置符合规定。" in visitor.page.locator("main").inner_text()
    fit(visitor)
    visitor.open(f"/procurements/{notice}")
    assert "Open for registration" in visitor.page.locator("main").inner_text()
