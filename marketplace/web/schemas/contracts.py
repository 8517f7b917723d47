"""What comes in about contracts: one schema for the JSON body and for the form."""

from marshmallow import fields, validate

from app.kernel.files import ACCEPT
from app.kernel.words import N_
from app.web.schemas import REQUIRED, InputSchema, UploadField, text, version_field
from marketplace.services.contracts import AcceptDeliverable, AskPause, ConfirmPause, Deliver, Reasoned, SignContract
from marketplace.states.contract import PAUSE_REASON_LABELS, ContractState, PauseReason


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
        N_("Responsible practitioner"), longest=60, hint=N_("The person who answers for the content by name.")
    )
    practitioner_certificate = text(N_("Number of the practice certificate"), required=False, longest=60)
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

    state = fields.String(
        load_default=None, validate=validate.OneOf(list(ContractState), error=N_("Must be one of the choices."))
    )
    page = fields.Integer(load_default=1, validate=validate.Range(1, 100_000, error=N_("Invalid value.")))
