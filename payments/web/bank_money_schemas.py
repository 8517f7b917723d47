"""What comes in about imported statements, unmatched money and payouts by hand."""

from typing import Any

from marshmallow import fields, validate

from app.kernel.clock import BEIJING
from app.kernel.words import N_
from app.web.schemas import REQUIRED, InputSchema, MoneyField, UploadField, text, version_field
from payments.bank_states import (
    BANK_STATEMENT,
    UNMATCHED_MONEY,
    VERDICT_LABELS,
    LineVerdict,
    StatementState,
    UnmatchedState,
)
from payments.queries.unmatched import IN_SUSPENSE_WORD
from payments.services.bank import EnterRefundSent
from payments.services.hand_payouts import Because, NotePayoutBack, NoteTransfer
from payments.services.statements import Discard, HandInStatement, statement_accounts
from payments.services.unmatched import Assign, Say
from payments.web.schemas import LARGEST_PAGE
from payments.web.wording import account_text

_CHOICE = N_("Must be one of the choices.")


def _page() -> fields.Integer:
    return fields.Integer(
        load_default=1, validate=validate.Range(min=1, max=LARGEST_PAGE), metadata={"widget": "hidden"}
    )


def _choice(label: str, choices: list[tuple[str, str]]) -> fields.String:
    return fields.String(
        load_default=None, allow_none=True, validate=validate.OneOf([value for value, _ in choices], error=_CHOICE),
        metadata={"label": label, "widget": "select", "choices": choices},
    )  # fmt: skip


def _accounts() -> list[tuple[str, str]]:
    return [(code, account_text(code)) for code in statement_accounts()]


def _day(label: str) -> fields.Date:
    return fields.Date(required=True, error_messages=REQUIRED, metadata={"label": label, "widget": "date"})


def _balance(label: str, hint: str) -> MoneyField:
    return MoneyField(load_default=None, allow_none=True, metadata={"label": label, "widget": "money", "hint": hint})


class HandInStatementIn(InputSchema):
    """Check the file of an account's statement."""

    command = HandInStatement
    gateway = fields.String(
        required=True, error_messages=REQUIRED, validate=validate.Length(max=16),
        metadata={"label": N_("Account"), "widget": "select", "choices": _accounts},
    )  # fmt: skip
    first_day = _day(N_("First day of the statement"))
    last_day = _day(N_("Last day of the statement"))
    opening_fen = _balance(
        N_("Balance before (yuan)"), N_("As the statement names it. With both balances a missing line is noticed.")
    )
    closing_fen = _balance(N_("Balance after (yuan)"), "")
    file = UploadField(
        required=True, error_messages=REQUIRED,
        metadata={"label": N_("Statement file"), "widget": "file", "accept": ".csv,.xlsx",
                  "hint": N_("CSV or XLSX with the columns of the template; all movements of these days, also of other kinds.")},
    )  # fmt: skip


class DiscardStatementIn(InputSchema):
    """Put a statement away."""

    command = Discard
    reason = text(N_("Reason"), longest=2000, widget="textarea")
    version = version_field()


class StatementQuery(InputSchema):
    """Statements by state."""

    state = _choice(N_("State"), [(str(s), BANK_STATEMENT.labels[s]) for s in StatementState])
    page = _page()


class LineQuery(InputSchema):
    """The lines of a statement by what they are to us."""

    verdict = _choice(N_("What it is to us"), [(str(v), VERDICT_LABELS[v]) for v in LineVerdict])
    page = _page()


class AssignIn(InputSchema):
    """The bill that money was meant for."""

    command = Assign
    bill = text(N_("Number or payment code of the bill"), longest=40)
    reason = text(
        N_("What shows it"), longest=2000, widget="textarea",
        hint=N_("Auditors read it: what did the sender write, who was asked, which paper is there?"),
    )  # fmt: skip
    version = version_field()


class SayIn(InputSchema):
    """Why it is decided so."""

    command = Say
    reason = text(N_("Reason"), longest=2000, widget="textarea")
    version = version_field()


class UnmatchedQuery(InputSchema):
    """Unmatched money by state; all that is not settled where nothing is chosen."""

    state = _choice(
        N_("State"),
        [(IN_SUSPENSE_WORD, N_("Not settled")), *((str(s), UNMATCHED_MONEY.labels[s]) for s in UnmatchedState)],
    )
    page = _page()


def _moved_at() -> fields.AwareDateTime:
    return fields.AwareDateTime(
        required=True, default_timezone=BEIJING,
        error_messages={**REQUIRED, "invalid": N_("Not a valid datetime.")},
        metadata={"label": N_("Booked at (Beijing time)"), "widget": "datetime"},
    )  # fmt: skip


def _voucher() -> Any:
    return text(N_("Serial number at the bank"), longest=60,
                hint=N_("As it stands on the statement; each movement once."))  # fmt: skip


class MoneyReturnedIn(InputSchema):
    """The line by which unmatched money left."""

    command = EnterRefundSent
    bank_ref = _voucher()
    counterparty = text(N_("Receiver on the statement"), longest=120)
    moved_at = _moved_at()


class NoteTransferIn(InputSchema):
    """The bank's voucher of a payout by hand."""

    command = NoteTransfer
    bank_ref = _voucher()
    moved_at = _moved_at()
    version = version_field()


class NotePayoutBackIn(InputSchema):
    """The line by which a payout came back."""

    command = NotePayoutBack
    bank_ref = _voucher()
    moved_at = _moved_at()
    version = version_field()


class BecauseIn(InputSchema):
    """Why a step is taken."""

    command = Because
    reason = text(N_("Reason"), longest=2000, widget="textarea")
    version = version_field()
