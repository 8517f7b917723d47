"""Numbered papers about money that left: the refund receipt, the payout advice, the agency's monthly statement."""

from datetime import date
from uuid import UUID

import sqlalchemy as sa

from app.documents import issue, issued_for, pdf
from app.documents.register import Issued, IssuedDocument
from app.identity import queries as identity
from app.kernel.clock import BEIJING
from app.kernel.db import db, get, use_case
from app.kernel.money import Money
from app.kernel.numbering import next_number
from app.kernel.words import N_
from payments.documents import ISSUER
from payments.models.ledger import LedgerAccount, LedgerEntry, LedgerTransaction
from payments.models.payouts import BankAccount, Payout
from payments.models.refunds import Refund
from payments.outgoing_events import PayoutArrived, RefundSucceeded
from payments.queries import bill_view
from payments.queries.agency_statements import AgencyStatement, agency_statement, bounds

REFUND_RECEIPT = "refund_receipt"
PAYOUT_ADVICE = "payout_advice"
AGENCY_STATEMENT = "agency_statement"
KIND_WORDS = {
    "release": "托管款拨付", "withhold": "扣回欠款", "refund-hold": "退款扣回", "refund-debt": "退款扣回",
    "refund-unhold": "退款撤回", "transfer_reversal": "出款收回", "dispute_recovered": "拒付损失",
    "payout-hold": "出款", "payout-unhold": "出款退回",
}  # fmt: skip


@use_case
def issue_refund_receipt(event: RefundSucceeded) -> None:
    """Issue the receipt of a refund, once."""
    row = get(Refund, event.refund_id)
    if row.finished_at is None or issued_for(f"refund:{row.id}"):
        return
    view = bill_view(row.bill_id)
    number = next_number("TK")
    on = row.finished_at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M")
    amount = Money(row.amount_fen)
    facts = {N_("Bill"): view.number, N_("Amount"): f"¥{amount.grouped}", N_("Refunded at"): on}

    def render(check: pdf.Check) -> bytes:
        letter = pdf.Letter(title="退款凭证", issuer=ISSUER, number=number, check=check)
        letter.facts((
            ("账单编号", view.number), ("收款人（原缴款人）", view.payer_name), ("事由", view.title),
            ("退款原因", row.reason), ("退款时间", on), ("退款渠道", "原路退回"),
        ))  # fmt: skip
        letter.paragraph(f"退款金额（大写）：{amount.capitals}　　小写：¥{amount.grouped}", bold=True)
        return letter.note("退款已由支付机构按原支付方式办理，到账时间以发卡银行或者支付机构为准。").render()

    issue(REFUND_RECEIPT, number, f"退款凭证 {view.number}", f"refund:{row.id}", row.thread_id, facts, render)


@use_case
def issue_payout_advice(event: PayoutArrived) -> None:
    """Issue the advice of a payout, once."""
    row = get(Payout, event.payout_id)
    if row.arrived_at is None or issued_for(f"payout:{row.id}"):
        return
    account = get(BankAccount, row.bank_account_id)
    agency = _name(row.payee_organisation_id)
    on = row.arrived_at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M")
    amount = Money(row.amount_fen)
    facts = {N_("Payee"): agency, N_("Amount"): f"¥{amount.grouped}", N_("Paid out at"): on}

    def render(check: pdf.Check) -> bytes:
        letter = pdf.Letter(title="出款通知书", issuer=ISSUER, number=row.number, check=check)
        letter.facts((
            ("收款单位", agency), ("户名", account.holder_name), ("开户银行", account.bank_name),
            ("收款账号", account.masked), ("到账时间", on),
        ))  # fmt: skip
        letter.paragraph(f"出款金额（大写）：{amount.capitals}　　小写：¥{amount.grouped}", bold=True)
        return letter.note("本次出款所含各笔拨付、退款和费用，见当月对账单。").render()

    issue(PAYOUT_ADVICE, row.number, f"出款通知书 {row.number}", f"payout:{row.id}", row.thread_id, facts, render)


def statement_subject(organisation_id: UUID, month: date) -> str:
    """What the paper of a month belongs to."""
    return f"statement:{organisation_id}:{month:%Y-%m}"


def agencies_without_statement(month: date) -> list[UUID]:
    """Agencies that had money or movements by the end of a month and have no paper of it yet. Three statements."""
    until = bounds(month)[1]
    had = set(
        db.session.scalars(
            sa.select(LedgerAccount.owner_organisation_id)
            .join(LedgerEntry, LedgerEntry.account == LedgerAccount.code)
            .join(LedgerTransaction, LedgerTransaction.id == LedgerEntry.tx_id)
            .where(LedgerAccount.code.startswith("payable:"), LedgerTransaction.posted_at < until)
            .distinct()
        )
    )
    wanted = {statement_subject(one, month): one for one in had if one is not None}
    issued = db.session.scalars(
        sa.select(IssuedDocument.subject).where(
            IssuedDocument.kind == AGENCY_STATEMENT, IssuedDocument.subject.endswith(f":{month:%Y-%m}")
        )
    )
    for subject in issued:
        wanted.pop(subject, None)
    return sorted(wanted.values())


@use_case
def issue_statement(organisation_id: UUID, month: date) -> Issued:
    """Issue the statement of a month that is over, once, with its check code."""
    subject = statement_subject(organisation_id, month)
    known = issued_for(subject)
    if known:
        return known[0]
    statement, agency = agency_statement(organisation_id, month), _name(organisation_id)
    number = next_number("DZ")
    facts = {
        N_("Payee"): agency,
        N_("Month"): f"{month:%Y-%m}",
        N_("Opening balance"): f"¥{Money(statement.opening_fen).grouped}",
        N_("Closing balance"): f"¥{Money(statement.closing_fen).grouped}",
    }
    return issue(AGENCY_STATEMENT, number, f"{agency} {month:%Y年%m月}对账单", subject, organisation_id, facts,
                 lambda check: statement_pdf(statement, agency, number, check))  # fmt: skip


def statement_pdf(statement: AgencyStatement, agency: str, number: str, check: pdf.Check | None) -> bytes:
    """The statement's text: sums first, then every movement with the balance after it."""
    letter = pdf.Letter(title="中介服务机构对账单", issuer=ISSUER, number=number, check=check,
                        subtitle=f"{agency}　{statement.month:%Y年%m月}")  # fmt: skip

    def yuan(fen: int) -> str:
        return Money(fen).grouped

    letter.facts((
        ("期初余额", yuan(statement.opening_fen)), ("拨付（含平台服务费）", yuan(statement.total("release"))),
        ("平台服务费", yuan(-statement.fees_fen)), ("退款", yuan(statement.total("refund"))),
        ("拒付损失", yuan(statement.total("dispute"))), ("出款", yuan(statement.total("payout"))),
        ("其他", yuan(statement.other_fen)), ("期末余额", yuan(statement.closing_fen)),
    ), columns=2)  # fmt: skip
    rows = [
        (line.at.astimezone(BEIJING).strftime("%m-%d %H:%M"), KIND_WORDS.get(line.kind, line.kind), line.memo,
         yuan(line.amount_fen), yuan(line.balance_fen))
        for line in statement.lines
    ]  # fmt: skip
    letter.table(("时间", "类别", "摘要", "金额（元）", "余额（元）"), rows, widths=(2, 2, 6, 2.4, 2.4),
                 align=("left", "left", "left", "right", "right"))  # fmt: skip
    return letter.note(
        "金额为收入正、支出负；余额为应付本机构款项减去本机构欠款。如有异议，请在收到之日起十五日内提出。"
    ).render()


def _name(organisation_id: UUID) -> str:
    found = identity.organisations_by_ids({organisation_id})
    return found[organisation_id].name if organisation_id in found else ""
