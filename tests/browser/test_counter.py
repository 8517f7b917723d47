"""Paying in a real Chromium, at the real cashier of the simulator: Alipay, WeChat, a declined card, a closed tab, two tabs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask
from playwright.sync_api import Page, expect
from werkzeug.serving import WSGIRequestHandler, make_server

from app.kernel import clock
from app.kernel.access import SYSTEM, Actor, Role
from app.kernel.db import db, new_id
from app.settings import Settings
from payments.queries import bill_page
from payments.services import BillKind, BillLine, OpenBill, open_bill
from payments.simulator.application import open_simulator
from tests.browser.chromium import DESK, PHONE, Window
from tests.builders import a_member

pytestmark = [pytest.mark.browser]
AsPerson = Callable[..., Window]
MakeBill = Callable[..., UUID]


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


@pytest.fixture
def payer(app: Flask) -> Actor:
    return a_member(Role.OWNER)


@pytest.fixture
def a_bill(payer: Actor) -> MakeBill:
    """`a_bill(5_000)`: a bill of the payer to an agency over so many fen."""
    agency = a_member(Role.AGENCY).organisation_id

    def make(fen: int) -> UUID:
        line = BillLine("环境影响报告书编制费", fen, "合同 HT-2026-000012 第五条")
        return open_bill(SYSTEM, OpenBill(
            thread_id=new_id(), subject=f"contract:{new_id()}", kind=BillKind.SERVICE_FEE,
            title="滨河路综合管廊项目环境影响报告书编制", payer_organisation_id=payer.organisation_id, payer_user_id=None,
            payee_organisation_id=agency, lines=(line,), due_at=clock.now() + timedelta(days=30)))  # fmt: skip

    return make


@pytest.fixture(scope="module")
def cashier() -> Iterator[str]:
    """The simulator behind a socket, with its cashier page."""
    simulator = open_simulator(":memory:")
    server = make_server("127.0.0.1", 0, simulator, threaded=True, request_handler=_Quiet)
    here = f"http://127.0.0.1:{server.server_port}"
    simulator.backend.public_url = here
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield here
    server.shutdown()
    simulator.backend.store.close()


@pytest.fixture
def settings(settings: Settings, cashier: str) -> Settings:
    """The application pays there, and its pages may lead there."""
    return replace(settings, stripe_base_url=cashier)


@pytest.fixture
def counter(app: Flask, url: str) -> str:
    """The address of the application, which the cashier leads back to."""
    app.extensions["chaoshi_settings"] = replace(app.extensions["chaoshi_settings"], public_url=url)
    return url


def choose(page: Page, method: str) -> None:
    page.locator(f"input[name=method][value={method}]").check()
    page.get_by_role("button", name="支付 ").click()


def state_of(actor: Actor, bill_id: UUID) -> str:
    db.session.expire_all()
    found = bill_page(actor, bill_id).state
    db.session.rollback()
    return found


@pytest.mark.parametrize(("method", "width"), [("alipay", DESK), ("wechat_pay", PHONE)])
def test_paying_with_a_wallet(
    counter: str,
    album: Path,
    as_person: AsPerson,
    a_bill: MakeBill,
    payer: Actor,
    method: str,
    width: int,
) -> None:
    bill_id = a_bill(1_280_000)
    window = as_person(payer, f"/bills/{bill_id}", width=width)
    window.picture(album / f"counter-bill-{width}.png", full_page=True)
    page = window.page
    choose(page, method)
    page.locator(f"form[action$='/{method}'] button").first.click()
    window.picture(album / f"counter-{method}-{width}.png", full_page=True)
    if method == "wechat_pay":
        page.locator("a.pay.wechat").click()
    page.locator("form[action$='authorise'] button, form[action$='confirm'] button").first.click()
    expect(page.get_by_text("已收到全部款项").first).to_be_visible()
    window.picture(album / f"counter-{method}-paid-{width}.png", full_page=True)
    assert window.overflow() <= 0
    assert state_of(payer, bill_id) == "paid"


def test_a_declined_card_then_a_good_one(
    counter: str,
    album: Path,
    as_person: AsPerson,
    a_bill: MakeBill,
    payer: Actor,
) -> None:
    bill_id = a_bill(9_900)
    window = as_person(payer, f"/bills/{bill_id}")
    page = window.page
    choose(page, "card")
    card(page, "4000000000000002")
    expect(page.locator(".error[role=alert]")).to_be_visible()
    window.picture(album / "counter-card-declined.png", full_page=True)
    window.complaints.clear()  # the browser notes the 402 of the cashier
    card(page, "4242424242424242")
    expect(page.get_by_text("已收到全部款项").first).to_be_visible()
    assert state_of(payer, bill_id) == "paid"


def card(page: Page, number: str) -> None:
    page.locator("input[name=number]").fill(number)
    page.locator("input[name=expiry]").fill("12/34")
    page.locator("input[name=cvc]").fill("123")
    page.locator("form[action$='/card'] button").first.click()


def test_a_closed_tab_is_taken_up_again_and_two_tabs_meet_one_attempt(
    counter: str,
    album: Path,
    as_person: AsPerson,
    a_bill: MakeBill,
    payer: Actor,
) -> None:
    bill_id = a_bill(5_000)
    first = as_person(payer, f"/bills/{bill_id}")
    second = as_person(payer, f"/bills/{bill_id}")
    choose(first.page, "card")
    first.page.wait_for_url("**/c/pay/**")
    at_cashier = first.page.url
    first.page.close()
    choose(second.page, "card")
    second.page.wait_for_url(at_cashier)
    third = as_person(payer, f"/bills/{bill_id}")
    third.picture(album / "counter-resume.png", full_page=True)
    third.page.get_by_role("link", name="返回收银台").or_(
        third.page.locator("a.btn-primary[rel=noreferrer]")
    ).first.click()
    third.page.wait_for_url(at_cashier)
    card(third.page, "4242424242424242")
    expect(third.page.get_by_text("已收到全部款项").first).to_be_visible()
    assert state_of(payer, bill_id) == "paid"
    (attempt,) = bill_page(payer, bill_id).payments
    assert attempt.state == "succeeded"


def test_two_bills_are_chosen_and_paid_at_once(
    counter: str,
    album: Path,
    as_person: AsPerson,
    a_bill: MakeBill,
    payer: Actor,
) -> None:
    bills = [a_bill(70_000), a_bill(30_000)]
    window = as_person(payer, "/bills?side=payer", width=PHONE)
    window.picture(album / "counter-due-390.png", full_page=True)
    page = window.page
    page.get_by_role("button", name="缴纳所选账单").click()
    window.picture(album / "counter-basket-390.png", full_page=True)
    assert window.overflow() <= 0
    choose(page, "card")
    card(page, "4242424242424242")
    expect(page.get_by_text("已收到全部款项").first).to_be_visible()
    window.picture(album / "counter-paid-together-390.png", full_page=True)
    assert [state_of(payer, bill_id) for bill_id in bills] == ["paid", "paid"]
