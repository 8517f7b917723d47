"""What comes in about contracts: one schema for the JSON body and for the form."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from marshmallow import fields, post_load, validate

from app.kernel.files import ACCEPT
from app.kernel.words import N_
from app.web.schemas import REQUIRED, FormText, InputSchema, MoneyField, UploadField, text, version_field
from marketplace.queries.catalogue import items_in_force
from marketplace.queries.contracts import ContractFilter
from marketplace.rules.contract_text import OPEN_FIELD_LABELS, OpenField
from marketplace.services.contracts import (
    AcceptDeliverable,
    AskExtension,
    AskPause,
    ConfirmPause,
    Deliver,
    EndNotice,
    Mediate,
    NotifyBreach,
    OpenDispute,
    ProposeSettlement,
    ProposeTermination,
    PutForward,
    Reasoned,
    SignContract,
)
from marketplace.services.contracts.templates import TemplateContent
from marketplace.states.contract import CONTRACT, ContractState
from marketplace.states.engagement import (
    BREACH_LABELS,
    PAUSE_REASON_LABELS,
    PAYMENT_MOMENT_LABELS,
    SETTLEMENT_LABELS,
    BreachKind,
    PauseReason,
    PaymentMoment,
    Settlement,
)


def evidence_field() -> UploadField:
    """A file that supports a step; may be left out."""
    return UploadField(
        load_default=None,
        allow_none=True,
        metadata={
            "label": N_("Evidence"),
            "widget": "file",
            "hint": N_("PDF, DOCX, XLSX, ZIP or picture, at most 20 MiB. Its SHA-256 is recorded."),
            "accept": ACCEPT,
        },
    )


def _choice(kind: type[StrEnum], label: str, labels: Mapping[Any, str], widget: str = "select") -> fields.Enum[Any]:
    return fields.Enum(
        kind,
        by_value=True,
        required=True,
        error_messages={**REQUIRED, "unknown": N_("Must be one of the choices.")},
        metadata={"label": label, "widget": widget, "choices": [(str(one), labels[one]) for one in kind]},
    )


class PutForwardIn(InputSchema):
    """The open fields of the template; what the template does not open is left out of the page."""

    command = PutForward
    delivery_place = text(N_("Place and form of delivery"), required=False, longest=200)
    copies = text(N_("Copies of the deliverable"), required=False, longest=100)
    contact = text(N_("Contact person of the owner"), required=False, longest=100)
    special_terms = text(N_("Special agreements"), required=False, longest=2000, widget="textarea")
    pay_days = fields.Integer(
        load_default=None,
        allow_none=True,
        validate=validate.Range(1, 365, error=N_("Invalid value.")),
        metadata={
            "label": N_("Days to pay"),
            "widget": "number",
            "hint": N_("Calendar days; the law allows 60 at most."),
        },
    )
    milestones = text(
        N_("Milestones"),
        required=False,
        longest=4000,
        widget="textarea",
        hint=N_("One a line: name | share in per cent | how it is accepted. The shares make 100 together."),
        rows=5,
    )
    version = version_field()


class AskExtensionIn(InputSchema):
    """A question for more working days."""

    command = AskExtension
    days_wd = fields.Integer(
        required=True,
        validate=validate.Range(1, 1000, error=N_("Invalid value.")),
        error_messages=REQUIRED,
        metadata={"label": N_("More working days"), "widget": "number"},
    )
    reason = text(N_("Reason"), longest=2000, widget="textarea")
    file = evidence_field()
    version = version_field()


class ProposeTerminationIn(InputSchema):
    """A proposal to end the contract."""

    command = ProposeTermination
    reason = text(N_("Reason"), longest=2000, widget="textarea")
    file = evidence_field()
    version = version_field()


class OpenDisputeIn(InputSchema):
    """A dispute."""

    command = OpenDispute
    reason = text(N_("What you disagree about"), longest=4000, widget="textarea")
    file = evidence_field()
    version = version_field()


def agency_part() -> MoneyField:
    """How much of the held fee goes to the agency when the contract ends."""
    return MoneyField(
        load_default=None,
        allow_none=True,
        metadata={
            "label": N_("Of the held fee, to the agency (yuan)"),
            "widget": "money",
            "hint": N_("Only when the contract ends; the rest goes back to the owner. Empty: all of it goes back."),
        },
    )


class ProposeSettlementIn(InputSchema):
    """One side's proposal."""

    command = ProposeSettlement
    settlement = _choice(Settlement, N_("Settlement"), SETTLEMENT_LABELS, "radio")
    text = text(N_("Terms of the settlement"), longest=4000, widget="textarea")
    agency_fen = agency_part()
    version = version_field()


class MediateIn(InputSchema):
    """The record of a mediation."""

    command = Mediate
    settlement = _choice(Settlement, N_("Settlement"), SETTLEMENT_LABELS, "radio")
    text = text(N_("Record of the mediation"), longest=4000, widget="textarea")
    days_count = fields.Boolean(
        load_default=False,
        metadata={"label": N_("The days of the dispute count into the time limit"), "widget": "checkbox"},
    )
    agency_fen = agency_part()
    version = version_field()


class NotifyBreachIn(InputSchema):
    """A notice of breach."""

    command = NotifyBreach
    kind = _choice(BreachKind, N_("Kind of breach"), BREACH_LABELS)
    facts = text(N_("Facts"), longest=4000, widget="textarea")
    cure_wd = fields.Integer(
        load_default=None,
        allow_none=True,
        validate=validate.Range(1, 365, error=N_("Invalid value.")),
        metadata={
            "label": N_("Working days to mend it"),
            "widget": "number",
            "hint": N_("Empty: the shortest period that the rules allow."),
        },
    )
    file = evidence_field()
    version = version_field()


class EndNoticeIn(InputSchema):
    """The end of a notice of breach."""

    command = EndNotice
    mended = fields.Boolean(load_default=False, metadata={"label": N_("The breach was mended"), "widget": "checkbox"})
    reason = text(N_("Reason"), longest=2000, widget="textarea")
    version = version_field()


class SignIn(InputSchema):
    """A signature under the text with this digest."""

    command = SignContract
    document_sha256 = fields.String(
        required=True,
        validate=validate.Regexp(r"[0-9a-f]{64}\Z", error=N_("Invalid value.")),
        error_messages=REQUIRED,
        metadata={"label": N_("SHA-256 of the text"), "widget": "hidden"},
    )
    agreed = fields.Boolean(
        required=True,
        error_messages=REQUIRED,
        metadata={"label": N_("I have read the whole contract and sign it for my organisation."), "widget": "checkbox"},
    )
    version = version_field()


class AskPauseIn(InputSchema):
    """A question for a pause."""

    command = AskPause
    pause_reason = fields.Enum(
        PauseReason,
        by_value=True,
        required=True,
        error_messages={**REQUIRED, "unknown": N_("Must be one of the choices.")},
        metadata={
            "label": N_("Cause of the pause"),
            "widget": "select",
            "choices": [(str(reason), label) for reason, label in PAUSE_REASON_LABELS.items()],
        },
    )
    explanation = text(
        N_("What happened, and what supports it"),
        longest=2000,
        widget="textarea",
        hint=N_("The other side has two working days to answer. If it agrees, the pause counts from today."),
    )
    file = evidence_field()
    version = version_field()


class ConfirmPauseIn(InputSchema):
    """Consent to a pause."""

    command = ConfirmPause
    version = version_field()


class ReasonedIn(InputSchema):
    """A step with its reason."""

    command = Reasoned
    reason = text(N_("Reason"), longest=2000, widget="textarea")
    version = version_field()


class DeliverIn(InputSchema):
    """One version of the deliverable."""

    command = Deliver
    title = text(N_("Title of the deliverable"))
    practitioner_name = text(
        N_("Responsible practitioner"),
        longest=60,
        hint=N_("The person who answers for the content by name. The owner sees whether your register lists them."),
    )
    practitioner_certificate = text(N_("Number of the practice certificate"), required=False, longest=60)
    others = text(
        N_("Others who sign for it"),
        required=False,
        longest=2000,
        widget="textarea",
        hint=N_("One a line: name, number of the practice certificate."),
    )
    checked = fields.Boolean(
        load_default=False,
        metadata={
            "label": N_("The checklist of the contract is fulfilled."),
            "widget": "checkbox",
            "hint": N_("It stands on the page of the contract, beside the milestones."),
        },
    )
    note = text(N_("Remark for the owner"), required=False, longest=2000, widget="textarea")
    file = UploadField(
        required=True,
        error_messages={**REQUIRED, "required": N_("Choose a file.")},
        metadata={
            "label": N_("File"),
            "widget": "file",
            "hint": N_("PDF, DOCX, XLSX, ZIP or picture, at most 20 MiB. Its SHA-256 is recorded."),
            "accept": ACCEPT,
        },
    )
    version = version_field()


class AcceptIn(InputSchema):
    """Acceptance of the newest version."""

    command = AcceptDeliverable
    version = version_field()


class ContractQuery(InputSchema):
    """Filters of the list."""

    command = ContractFilter
    words = FormText(load_default="", validate=validate.Length(max=100), metadata={"label": N_("Words")})
    state = fields.String(
        load_default="",
        validate=validate.OneOf(["", *ContractState], error=N_("Must be one of the choices.")),
        metadata={
            "label": N_("State"),
            "widget": "select",
            "choices": [(str(state), CONTRACT.labels[state]) for state in ContractState],
        },
    )
    signed_from = fields.Date(
        load_default=None, allow_none=True, metadata={"label": N_("Signed from"), "widget": "date"}
    )
    signed_until = fields.Date(
        load_default=None, allow_none=True, metadata={"label": N_("Signed until"), "widget": "date"}
    )
    late = fields.Boolean(load_default=False, metadata={"label": N_("Service late"), "widget": "checkbox"})
    owed = fields.Boolean(load_default=False, metadata={"label": N_("Payment overdue"), "widget": "checkbox"})
    page = fields.Integer(
        load_default=1,
        validate=validate.Range(1, 100_000, error=N_("Invalid value.")),
        metadata={"widget": "hidden"},
    )


class PageQuery(InputSchema):
    """A page of a list."""

    page = fields.Integer(load_default=1, validate=validate.Range(1, 100_000, error=N_("Invalid value.")))


class TemplateIn(InputSchema):
    """A contract template as the regulator writes it."""

    command = TemplateContent
    title = text(N_("Title"), longest=120)
    body = text(
        N_("Text of the contract"),
        longest=40_000,
        widget="textarea",
        rows=24,
        hint=N_("Placeholders in braces are filled in; the list of them stands beside."),
    )
    open_fields = fields.List(
        fields.String(validate=validate.OneOf(list(OpenField), error=N_("Must be one of the choices."))),
        load_default=(),
        metadata={
            "label": N_("The owner may fill in"),
            "widget": "checkboxes",
            "choices": [(str(one), OPEN_FIELD_LABELS[one]) for one in OpenField],
        },
    )
    required_fields = fields.List(
        fields.String(validate=validate.OneOf(list(OpenField), error=N_("Must be one of the choices."))),
        load_default=(),
        metadata={
            "label": N_("The owner must fill in"),
            "widget": "checkboxes",
            "choices": [(str(one), OPEN_FIELD_LABELS[one]) for one in OpenField],
        },
    )
    milestones = text(
        N_("Milestones"),
        longest=4000,
        widget="textarea",
        hint=N_("One a line: name | share in per cent | how it is accepted. The shares make 100 together."),
        rows=5,
    )
    checklist = text(
        N_("Checklist of the deliverable"),
        required=False,
        longest=4000,
        widget="textarea",
        hint=N_("One point a line."),
    )
    payment_moment = fields.String(
        required=True,
        validate=validate.OneOf(list(PaymentMoment), error=N_("Must be one of the choices.")),
        error_messages=REQUIRED,
        metadata={
            "label": N_("When the fee is paid"),
            "widget": "radio",
            "choices": [(str(one), PAYMENT_MOMENT_LABELS[one]) for one in PaymentMoment],
        },
    )
    pay_days = fields.Integer(
        required=True,
        validate=validate.Range(1, 365, error=N_("Invalid value.")),
        error_messages=REQUIRED,
        metadata={
            "label": N_("Days to pay"),
            "widget": "number",
            "hint": N_("Calendar days; the law allows 60 at most."),
        },
    )
    version = version_field()

    @post_load
    def _build(self, data: Mapping[str, Any], **_: Any) -> Any:
        values = {**data, "open_fields": tuple(data["open_fields"]), "required_fields": tuple(data["required_fields"])}
        return TemplateContent(**values)


def _items_in_force() -> list[tuple[str, str]]:
    return [(str(one.item_id), one.name) for one in items_in_force()]


class NewTemplateIn(TemplateIn):
    """A template of one item, or of all."""

    item_id = fields.UUID(
        load_default=None,
        allow_none=True,
        metadata={
            "label": N_("Service item"),
            "widget": "select",
            "choices": _items_in_force,
            "hint": N_("Empty: for all items without their own."),
        },
    )

    @post_load
    def _build(self, data: Mapping[str, Any], **extra: Any) -> Any:
        rest = {name: value for name, value in data.items() if name != "item_id"}
        return data["item_id"], super()._build(rest, **extra)
