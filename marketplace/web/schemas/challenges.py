"""What comes in about objections, queries, complaints and off-list reports: one schema for the JSON body and for the form."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import request
from marshmallow import ValidationError, fields, post_load, validate

from app.kernel.files import ACCEPT
from app.kernel.words import N_
from app.web.schemas import REQUIRED, InputSchema, UploadField, text, version_field
from marketplace.queries.challenges import RegisterFilter, effects_of, excludable
from marketplace.rules.challenges import (
    EFFECT_LABELS,
    KIND_LABELS,
    SIDE_LABELS,
    TYPE_LABELS,
    ChallengeKind,
    ComplaintType,
    Effect,
    Side,
)
from marketplace.services.challenges import (
    MOST_FILES,
    AcceptComplaint,
    ExtendLimit,
    FileComplaint,
    FileObjection,
    FileOffListReport,
    Plea,
    Reject,
    State,
    Uphold,
)
from marketplace.states.challenge import CHALLENGE, ChallengeState
from marketplace.web.challenge_matters import matters_of

_CHOICE = N_("Must be one of the choices.")


class Uploads(fields.List[Any]):
    """Several files of a multipart form; a JSON body has none."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, list) or len(value) > MOST_FILES:
            raise ValidationError(N_("At most five files at once."))
        return tuple(super()._deserialize(value, attr, data, **kwargs))


def _files() -> Uploads:
    return Uploads(
        UploadField(),
        load_default=(),
        metadata={
            "label": N_("Evidence"),
            "widget": "file",
            "accept": ACCEPT,
            "hint": N_("Up to five files: PDF, picture, DOCX, XLSX or ZIP. Their SHA-256 is recorded."),
        },
    )


class PleaIn(InputSchema):
    """What every challenge states."""

    command = Plea
    claim = text(
        N_("What you ask for"),
        longest=500,
        widget="textarea",
        rows=2,
        hint=N_("One sentence, for example: cancel the result and select again without this agency."),
    )
    grounds = text(
        N_("Facts and reasons"),
        longest=5000,
        widget="textarea",
        rows=7,
        hint=N_("What happened, when, and which rule it breaks. Whoever answers reads this with your name."),
    )
    contact_phone = text(N_("Your telephone number"), longest=40, autocomplete="tel")
    contact_email = text(
        N_("Your e-mail address"),
        longest=120,
        required=False,
        autocomplete="email",
        hint=N_("Telephone and e-mail are shown only to the operator and the regulator."),
    )
    files = _files()


def _matters() -> Sequence[tuple[str, str]]:
    """The challenges that are possible now in the procurement of the address."""
    object_id = (request.view_args or {}).get("object_id")
    return matters_of(object_id) if isinstance(object_id, UUID) else ()


class ObjectionIn(PleaIn):
    """An objection or a query against a procurement."""

    command = FileObjection
    matter = fields.String(
        required=True,
        validate=validate.Length(max=40, error=N_("This is too long.")),
        error_messages=REQUIRED,
        metadata={"label": N_("What you challenge"), "widget": "radio", "choices": _matters},
    )

    class Meta(InputSchema.Meta):
        """The choice comes first."""

        fields = ("matter", "claim", "grounds", "contact_phone", "contact_email", "files")


class ComplaintIn(PleaIn):
    """A complaint."""

    command = FileComplaint
    complaint_type = fields.Enum(
        ComplaintType,
        by_value=True,
        required=True,
        error_messages={**REQUIRED, "unknown": _CHOICE},
        metadata={
            "label": N_("What the complaint is about"),
            "widget": "select",
            "choices": [(str(t), TYPE_LABELS[t]) for t in ComplaintType if t is not ComplaintType.OFF_LIST],
        },
    )
    against = fields.Enum(
        Side,
        by_value=True,
        required=True,
        error_messages={**REQUIRED, "unknown": _CHOICE},
        metadata={
            "label": N_("Against whom"),
            "widget": "radio",
            "choices": [(str(s), SIDE_LABELS[s]) for s in Side if s is not Side.CHALLENGER],
        },
    )
    against_name = text(
        N_("Name of who is complained of"),
        required=False,
        hint=N_("May stay empty when it follows from the procurement or the contract."),
    )
    known_on = fields.Date(
        load_default=None,
        allow_none=True,
        metadata={
            "label": N_("On which day did you learn of it"),
            "hint": N_("The time for complaints counts from this day. Not needed after an objection or a query."),
        },
    )
    reference = text(
        N_("Number of the procurement, contract or parcel"), longest=120, required=False, hint=N_("If there is one.")
    )
    previous_id = fields.UUID(load_default=None, allow_none=True, metadata={"widget": "hidden"})
    procurement_id = fields.UUID(load_default=None, allow_none=True, metadata={"widget": "hidden"})
    contract_id = fields.UUID(load_default=None, allow_none=True, metadata={"widget": "hidden"})
    agency_id = fields.UUID(load_default=None, allow_none=True, metadata={"widget": "hidden"})

    class Meta(InputSchema.Meta):
        """In the order in which one tells it."""

        fields = (
            *("complaint_type", "against", "against_name", "reference", "known_on", "claim", "grounds", "files"),
            *("contact_phone", "contact_email", "previous_id", "procurement_id", "contract_id", "agency_id"),
        )


class OffListIn(PleaIn):
    """A report of a demand outside the item list."""

    command = FileOffListReport
    department = text(N_("Department that demanded it"), hint=N_("Full name, for example with district."))
    demanded = text(N_("Service that was demanded"), longest=80, hint=N_("As the department called it."))
    approval = text(N_("For which approval"), longest=80, required=False)

    class Meta(InputSchema.Meta):
        """In the order in which one tells it."""

        fields = ("department", "demanded", "approval", "claim", "grounds", "files", "contact_phone", "contact_email")


def _decision(label: str) -> Any:
    return text(
        label,
        longest=5000,
        widget="textarea",
        rows=6,
        hint=N_("The sides read this. Name the facts, the evidence and the rule."),
    )


def _summary() -> Any:
    return text(
        N_("Published summary"),
        longest=500,
        widget="textarea",
        rows=2,
        hint=N_("Everybody reads this in the public register. Name no person and no challenger."),
    )


def _effects() -> Sequence[tuple[str, str]]:
    object_id = (request.view_args or {}).get("object_id")
    found = effects_of(object_id) if isinstance(object_id, UUID) else ()
    return [(str(effect), EFFECT_LABELS[effect]) for effect in found]


def _excludable() -> Sequence[tuple[str, str]]:
    object_id = (request.view_args or {}).get("object_id")
    if not isinstance(object_id, UUID) or Effect.EXCLUDE not in effects_of(object_id):
        return ()
    return [(str(registration_id), name) for registration_id, name in excludable(object_id)]


class UpholdIn(InputSchema):
    """An answer in favour."""

    command = Uphold
    decision = _decision(N_("Answer and reasons"))
    effect = fields.Enum(
        Effect,
        by_value=True,
        required=True,
        error_messages={**REQUIRED, "unknown": _CHOICE},
        metadata={"label": N_("What follows"), "widget": "radio", "choices": _effects},
    )
    excluded_registration_id = fields.UUID(
        load_default=None,
        allow_none=True,
        metadata={
            "label": N_("Agency that is excluded"),
            "widget": "select",
            "choices": _excludable,
            "hint": N_("Only when one agency of the frozen list is excluded."),
        },
    )
    public_summary = _summary()
    version = version_field()


class RejectIn(InputSchema):
    """An answer against."""

    command = Reject
    decision = _decision(N_("Answer and reasons"))
    public_summary = _summary()
    version = version_field()


class AcceptIn(InputSchema):
    """Acceptance of a complaint."""

    command = AcceptComplaint
    suspend = fields.Boolean(
        load_default=False,
        metadata={"label": N_("The procurement stands still until the decision"), "widget": "checkbox"},
    )
    version = version_field()


class ExtendIn(InputSchema):
    """A later day for the decision."""

    command = ExtendLimit
    until = fields.Date(required=True, error_messages=REQUIRED, metadata={"label": N_("Decision until")})
    reason = text(N_("Reason"), longest=1000, widget="textarea")
    version = version_field()


class StateIn(InputSchema):
    """A statement with its evidence."""

    command = State
    text = text(N_("Your statement"), longest=5000, widget="textarea", rows=6)
    files = _files()
    version = version_field()


class RegisterQuery(InputSchema):
    """Filters of the public register."""

    q = text(N_("Words"), longest=100, required=False)
    kind = fields.String(
        load_default="",
        validate=validate.OneOf(["", *ChallengeKind], error=_CHOICE),
        metadata={
            "label": N_("Kind"),
            "widget": "select",
            "choices": [(str(k), KIND_LABELS[k]) for k in ChallengeKind],
        },
    )
    complaint_type = fields.String(
        load_default="",
        validate=validate.OneOf(["", *ComplaintType], error=_CHOICE),
        metadata={
            "label": N_("Subject matter"),
            "widget": "select",
            "choices": [(str(t), TYPE_LABELS[t]) for t in ComplaintType],
        },
    )
    outcome = fields.String(
        load_default="",
        validate=validate.OneOf(["", ChallengeState.UPHELD, ChallengeState.REJECTED], error=_CHOICE),
        metadata={
            "label": N_("Outcome"),
            "widget": "select",
            "choices": [(str(s), CHALLENGE.labels[s]) for s in (ChallengeState.UPHELD, ChallengeState.REJECTED)],
        },
    )
    page = fields.Integer(load_default=1, validate=validate.Range(min=1, max=100_000), metadata={"widget": "hidden"})

    @post_load
    def _build(self, data: Mapping[str, Any], **_: Any) -> Any:
        values: dict[str, Any] = {name: "" if value is None else value for name, value in data.items()}
        return RegisterFilter(**values)


class DeskQuery(InputSchema):
    """A page of a desk or of my own list."""

    state = fields.String(
        load_default="", validate=validate.OneOf(["", "open", "overdue", *ChallengeState], error=_CHOICE)
    )
    page = fields.Integer(load_default=1, validate=validate.Range(min=1, max=100_000))
