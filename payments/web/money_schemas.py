"""What comes in about money that leaves: one schema for the JSON body and for the form."""

from marshmallow import fields, validate

from app.kernel.words import N_
from app.web.schemas import REQUIRED, FormText, InputSchema, MoneyField, UploadField, text, version_field
from payments.models.tax_papers import TAX_PAPER_LABELS, TaxPaperKind
from payments.outgoing_states import BANK_ACCOUNT, PAYMENT_DISPUTE, PAYOUT, BankAccountState, DisputeState, PayoutState
from payments.services.bank_accounts import DecideBankAccount, EnterBankAccount
from payments.services.disputes import AddEvidence, AnswerDispute, SettleLoss
from payments.services.payouts import AskPayout, DecidePayout
from payments.services.tax_papers import RecordTaxPaper
from payments.web.schemas import LARGEST_PAGE

_CHOICE = N_("Must be one of the choices.")


def _page() -> fields.Integer:
    return fields.Integer(load_default=1, validate=validate.Range(min=1, max=LARGEST_PAGE))


class AskPayoutIn(InputSchema):
    """Ask for a payout; without an amount, of the whole balance."""

    command = AskPayout
    amount_fen = MoneyField(
        load_default=None, allow_none=True,
        metadata={"label": N_("Amount (yuan)"), "widget": "money", "hint": N_("Empty: the whole balance.")},
    )  # fmt: skip


class DecidePayoutIn(InputSchema):
    """Approve a payout."""

    command = DecidePayout
    version = version_field()


class RejectPayoutIn(InputSchema):
    """Refuse a payout."""

    command = DecidePayout
    reason = text(N_("Reason"), longest=2000, widget="textarea")
    version = version_field()


class BankAccountIn(InputSchema):
    """A new bank account of the agency."""

    command = EnterBankAccount
    holder_name = text(N_("Account holder"), longest=120, hint=N_("Exactly as the bank writes it."))
    bank_name = text(N_("Bank and branch"), longest=120)
    number = text(N_("Account number"), longest=40, autocomplete="off")
    branch_code = text(N_("Line number of the bank (12 digits)"), longest=12, required=False)
    proof = UploadField(
        required=True, error_messages=REQUIRED,
        metadata={"label": N_("Proof of the account"), "widget": "file", "hint": N_("Account permit or a letter of the bank, PDF or picture.")},
    )  # fmt: skip


class DecideBankAccountIn(InputSchema):
    """Check or confirm an account."""

    command = DecideBankAccount
    version = version_field()


class RejectBankAccountIn(InputSchema):
    """Refuse an account."""

    command = DecideBankAccount
    reason = text(N_("Reason"), longest=2000, widget="textarea")
    version = version_field()


class AnswerDisputeIn(InputSchema):
    """Our answer to a dispute."""

    command = AnswerDispute
    answer = text(
        N_("What proves the service"), longest=20_000, widget="textarea",
        hint=N_("What was agreed, delivered and accepted, with dates. It can be handed in once."),
    )  # fmt: skip
    file = UploadField(load_default=None, metadata={"label": N_("File"), "widget": "file"})
    version = version_field()


class EvidenceIn(InputSchema):
    """One more file for the answer."""

    command = AddEvidence
    file = UploadField(required=True, error_messages=REQUIRED, metadata={"label": N_("File"), "widget": "file"})
    version = version_field()


class SettleLossIn(InputSchema):
    """Who bears a lost dispute."""

    command = SettleLoss
    how = fields.String(
        required=True, error_messages=REQUIRED, validate=validate.OneOf(("borne", "recovered"), error=_CHOICE),
        metadata={"label": N_("Who bears the loss?"), "widget": "radio",
                  "choices": [("recovered", N_("The frozen money of the bill")), ("borne", N_("The platform"))]},
    )  # fmt: skip
    reason = text(N_("Reason"), longest=2000, widget="textarea")
    version = version_field()


class TaxPaperIn(InputSchema):
    """The record of an invoice, its correction or a fiscal receipt."""

    command = RecordTaxPaper
    kind = fields.Enum(
        TaxPaperKind, by_value=True, required=True, error_messages=REQUIRED,
        metadata={"label": N_("Kind of paper"), "widget": "select",
                  "choices": [(str(kind), label) for kind, label in TAX_PAPER_LABELS.items()]},
    )  # fmt: skip
    code = FormText(
        load_default="", validate=validate.Length(max=12, error=N_("This is too long.")),
        metadata={"label": N_("Paper code"), "widget": "text", "hint": N_("Empty for a fully digital invoice.")},
    )  # fmt: skip
    number = text(N_("Number"), longest=20)
    check_code = text(N_("Check code"), longest=20, required=False)
    issued_on = fields.Date(
        required=True, error_messages=REQUIRED, metadata={"label": N_("Date of issue"), "widget": "date"},
    )  # fmt: skip
    amount_fen = MoneyField(
        required=True, error_messages=REQUIRED, metadata={"label": N_("Amount with tax (yuan)"), "widget": "money"},
    )  # fmt: skip
    corrects = fields.UUID(
        load_default=None, allow_none=True,
        metadata={"label": N_("Corrects the invoice"), "widget": "hidden"},
    )  # fmt: skip
    file = UploadField(
        load_default=None,
        metadata={"label": N_("File"), "widget": "file", "hint": N_("PDF, OFD or XML as it was issued.")},
    )
    version = version_field()


class PayoutQuery(InputSchema):
    """Filter of the payouts."""

    state = fields.String(
        load_default=None, allow_none=True, validate=validate.OneOf([str(s) for s in PayoutState], error=_CHOICE),
        metadata={"label": N_("State"), "widget": "select", "choices": [(str(s), PAYOUT.labels[s]) for s in PayoutState]},
    )  # fmt: skip
    page = _page()


class BankAccountQuery(InputSchema):
    """Filter of the bank accounts."""

    state = fields.String(
        load_default=None, allow_none=True, validate=validate.OneOf([str(s) for s in BankAccountState], error=_CHOICE),
        metadata={"label": N_("State"), "widget": "select",
                  "choices": [(str(s), BANK_ACCOUNT.labels[s]) for s in BankAccountState]},
    )  # fmt: skip
    page = _page()


class DisputeQuery(InputSchema):
    """Filter of the disputes."""

    state = fields.String(
        load_default=None, allow_none=True, validate=validate.OneOf([str(s) for s in DisputeState], error=_CHOICE),
        metadata={"label": N_("State"), "widget": "select",
                  "choices": [(str(s), PAYMENT_DISPUTE.labels[s]) for s in DisputeState]},
    )  # fmt: skip
    page = _page()
