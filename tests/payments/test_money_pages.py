"""Pages and API of money that leaves, and the record of tax papers."""

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app.identity.models import Notice
from app.kernel import clock, outbox
from app.kernel.access import SYSTEM, Actor, Role
from app.kernel.db import db
from app.kernel.errors import Conflict, NotAllowed, Refused
from app.kernel.files import UnsupportedFile, Upload
from payments import outgoing_jobs, services
from payments.agency_documents import issue_statement
from payments.gateways.stripe import StripeGateway
from payments.invoice_files import is_plain_xml
from payments.models.payouts import BankAccount, Payout
from payments.models.tax_papers import TaxPaper, TaxPaperKind
from payments.queries.disputes import tax_papers_of
from payments.services import BillKind
from payments.services.tax_papers import RecordTaxPaper, check_numbers, record_tax_paper
from payments.simulator.application import Simulator
from tests.builders import a_member, sign_in
from tests.payments.test_outgoing import pass_time

PaidBill = Callable[..., UUID]
NUMBER = "26322000000123456789"
K = TaxPaperKind


def client_of(app: Flask, actor: Actor) -> FlaskClient:
    client = app.test_client()
    sign_in(client, actor)
    client.set_cookie("language", "en")
    return client


def test_from_the_account_to_the_advice(
    app: Flask, gateway: StripeGateway, simulator: Simulator, paid: PaidBill, agency: Actor, operator: Actor,
    second: Actor,
) -> None:  # fmt: skip
    paid(50_000)
    services.release_held(SYSTEM, paid(100_000), "验收合格")
    mine, checks, confirms = client_of(app, agency), client_of(app, operator), client_of(app, second)
    assert "Nothing is paid out at the moment" in mine.get("/agency-money").text
    form = {
        "holder_name": "某环境技术有限公司", "bank_name": "中国建设银行", "number": "6222 0210 0112 3456",
        "proof": (BytesIO("开户许可证".encode()), "许可证.txt"),
    }  # fmt: skip
    sent = mine.post(f"/agency-money/{agency.organisation_id}/actions/account", data=form)
    assert sent.status_code == 303, sent.text
    account_id = db.session.scalars(sa.select(BankAccount.id)).one()
    page = mine.get(f"/bank-accounts/{account_id}").text
    assert "**** **** 3456" in page
    assert "62220210" not in page + mine.get(f"/api/bank-accounts/{account_id}").text
    assert client_of(app, a_member(Role.AGENCY)).get(f"/bank-accounts/{account_id}").status_code == 404
    assert checks.post(f"/bank-accounts/{account_id}/actions/check").status_code == 303
    assert confirms.post(f"/bank-accounts/{account_id}/actions/confirm").status_code == 303
    with clock.at(clock.now() + timedelta(days=4)):
        assert outgoing_jobs.activate_accounts() == 1
        outbox.drain_all()
    asked = mine.post(f"/agency-money/{agency.organisation_id}/actions/payout", data={"amount_fen": "1,000.50"})
    assert asked.status_code == 422
    assert "not above the balance" in asked.text
    asked = mine.post(
        f"/api/agency-money/{agency.organisation_id}/actions/payout",
        json={"amount_fen": "600.00"},
        headers={"Idempotency-Key": "payout-1"},
    )
    assert (asked.status_code, asked.json["balance_fen"], asked.json["on_its_way_fen"]) == (200, 40_000, 60_000)
    payout_id = db.session.scalars(sa.select(Payout.id)).one()
    assert "waits" not in mine.get(f"/payouts/{payout_id}").text
    mine.post(f"/payouts/{payout_id}/actions/approve")
    assert mine.get(f"/api/payouts/{payout_id}").json["state"] == "requested"
    assert checks.post(f"/payouts/{payout_id}/actions/approve").status_code == 303
    outbox.drain_all()
    pass_time(simulator)
    with clock.at(clock.now() + timedelta(minutes=5)):
        assert outgoing_jobs.follow_payouts() == 1
        outbox.drain_all()
    advice = mine.get(f"/payouts/{payout_id}/advice")
    assert advice.data.startswith(b"%PDF")
    month = f"{clock.today():%Y-%m}"
    address = f"/agency-money/{agency.organisation_id}/statements/{month}"
    assert "400.00" in mine.get(address).text
    assert "1000.00" in mine.get(f"{address}.csv").text
    assert mine.get(f"{address}.pdf").status_code == 404, "the month is not over"
    assert mine.get(f"/agency-money/{agency.organisation_id}/statements/2026-13").status_code == 404
    assert mine.get(f"/api{address}").json["closing_fen"] == 40_000
    assert agency.organisation_id is not None
    assert issue_statement(agency.organisation_id, clock.today()).number.startswith("DZ")
    assert client_of(app, a_member(Role.AGENCY)).get(address).status_code == 404
    assert "出款" in client_of(app, operator).get("/payouts").text or "Payouts" in checks.get("/payouts").text
    assert mine.get("/payouts").status_code == 403


# --- tax papers ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "code", "number", "fits"),
    [
        (K.INVOICE, "", NUMBER, True), (K.INVOICE, "032002300111", "12345678", True), (K.INVOICE, "", "12345678", False),
        (K.INVOICE, "3200230011", NUMBER, False), (K.INVOICE, "", NUMBER[:-1], False), (K.INVOICE, "", "x" * 20, False),
        (K.FISCAL_RECEIPT, "32010123", "0012345678", True), (K.FISCAL_RECEIPT, "", "0012345678", False),
    ],
)  # fmt: skip
def test_numbers_of_papers(kind: TaxPaperKind, code: str, number: str, fits: bool) -> None:
    if fits:
        check_numbers(kind, code, number)
    else:
        with pytest.raises(Refused):
            check_numbers(kind, code, number)


def test_an_invoice_is_recorded_once_and_corrected_once(
    gateway: StripeGateway,
    paid: PaidBill,
    agency: Actor,
    owner: Actor,
) -> None:
    bill_id, other = paid(100_000), paid(30_000)
    today = clock.today()
    xml = Upload("发票.xml", b'<?xml version="1.0"?><EInvoice><Number>1</Number></EInvoice>')
    paper = RecordTaxPaper(K.INVOICE, NUMBER, today, 100_000, file=xml)
    with pytest.raises(NotAllowed):
        record_tax_paper(owner, bill_id, paper)
    with pytest.raises(Refused):
        record_tax_paper(agency, bill_id, RecordTaxPaper(K.INVOICE, NUMBER, today, 100_001))
    with pytest.raises(Refused):
        record_tax_paper(agency, bill_id, RecordTaxPaper(K.INVOICE, NUMBER, today + timedelta(days=1), 1))
    first = record_tax_paper(agency, bill_id, paper)
    with pytest.raises(Conflict, match="recorded already"):
        record_tax_paper(agency, other, RecordTaxPaper(K.INVOICE, NUMBER, today, 30_000))
    red = RecordTaxPaper(K.RED_INVOICE, NUMBER[:-1] + "0", today, 100_000, corrects=first)
    record_tax_paper(agency, bill_id, red)
    with pytest.raises(Conflict, match="corrected already"):
        record_tax_paper(agency, bill_id, RecordTaxPaper(K.RED_INVOICE, "9" * 20, today, 100_000, corrects=first))
    record_tax_paper(agency, bill_id, RecordTaxPaper(K.INVOICE, "8" * 20, today, 100_000))
    assert [(p.kind, p.is_undone) for p in tax_papers_of(bill_id)] == [
        ("invoice", True), ("red_invoice", False), ("invoice", False),
    ]  # fmt: skip
    assert db.session.scalar(sa.select(sa.func.count(TaxPaper.id)).where(TaxPaper.bill_id == other)) == 0


def test_fiscal_receipts_belong_to_statutory_money(
    gateway: StripeGateway,
    a_bill: PaidBill,
    paid: PaidBill,
    operator: Actor,
) -> None:
    receipt = RecordTaxPaper(K.FISCAL_RECEIPT, "0012345678", clock.today(), 100, code="32010123", check_code="a1b2c3")
    with pytest.raises(Conflict, match="not paid"):
        record_tax_paper(operator, a_bill(100, BillKind.STATUTORY_FEE), receipt)
    with pytest.raises(Refused):
        record_tax_paper(operator, paid(30_000), receipt)


def test_a_missing_invoice_is_asked_for_once(gateway: StripeGateway, paid: PaidBill, agency: Actor) -> None:
    bill_id = paid(30_000)
    services.release_held(SYSTEM, bill_id, "验收合格")
    assert outgoing_jobs.ask_for_invoices() == 0
    with clock.at(clock.now() + timedelta(days=7, minutes=1)):
        assert outgoing_jobs.ask_for_invoices() == 1
        assert outgoing_jobs.ask_for_invoices() == 0
    told = sa.select(sa.func.count(Notice.id)).where(Notice.kind == "payment.invoice-missing")
    assert db.session.scalar(told) == 1


@pytest.mark.parametrize(
    ("content", "plain"),
    [(b'<?xml version="1.0"?><a>1</a>', True), (b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>', False),
     (b"<a>1</a>", False), (b'<?xml version="1.0"?><a>', False)],
)  # fmt: skip
def test_xml_without_tricks(content: bytes, plain: bool) -> None:
    assert is_plain_xml(content) is plain


def test_xml_is_accepted_for_papers_alone(gateway: StripeGateway, agency: Actor) -> None:
    from app.kernel.files import keep

    with pytest.raises(UnsupportedFile):
        keep(Upload("a.xml", b'<?xml version="1.0"?><a>1</a>'), agency)
