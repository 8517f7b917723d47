"""What comes in about sanctions and repairs: one schema for the JSON body and for the form."""

from typing import Any

from marshmallow import fields, validate

from app.kernel.files import ACCEPT
from app.kernel.words import N_
from app.web.schemas import REQUIRED, InputSchema, UploadField, text, version_field
from marketplace.queries.listed_items import versions_in_force
from marketplace.rules.sanctions import KIND_LABELS, LEVEL_LABELS, VIOLATIONS, Ground, Kind, Level, Side
from marketplace.services.sanctions import ApplyRepair, Proposal, Report, Statement
from marketplace.states.credit import SANCTION, SanctionState

_UNKNOWN = {**REQUIRED, "unknown": N_("Must be one of the choices.")}


def _choice(kind: Any, label: str, choices: Any) -> fields.Enum[Any]:
    return fields.Enum(
        kind,
        by_value=True,
        required=True,
        error_messages=_UNKNOWN,
        metadata={"label": label, "widget": "select", "choices": choices},
    )


def _services() -> list[tuple[str, str]]:
    return [("", ""), *((str(version.item_id), version.name) for version in versions_in_force())]


class _BlankUUID(fields.UUID):
    """An optional id; an empty choice of a form means none."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        return None if value == "" else super()._deserialize(value, attr, data, **kwargs)


class _BlankInteger(fields.Integer):
    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        return None if value == "" else super()._deserialize(value, attr, data, **kwargs)


class _LadderIn(InputSchema):
    """What follows from a violation."""

    level = _choice(Level, N_("Level"), list(LEVEL_LABELS.items()))
    kind = _choice(Kind, N_("Measure"), list(KIND_LABELS.items()))
    points = fields.Integer(
        required=True,
        validate=validate.Range(0, 100, error=N_("Invalid value.")),
        error_messages=REQUIRED,
        metadata={"label": N_("Points taken"), "hint": N_("0 for owners; the rule book sets the range of each level.")},
    )
    months = _BlankInteger(
        load_default=None,
        allow_none=True,
        validate=validate.Range(1, 60, error=N_("Invalid value.")),
        metadata={"label": N_("Term in months"), "hint": N_("For suspensions and closer scrutiny only.")},
    )
    item_id = _BlankUUID(
        load_default=None,
        allow_none=True,
        metadata={
            "label": N_("Suspended service"),
            "widget": "select",
            "choices": _services,
            "hint": N_("Only for the suspension of one service."),
        },
    )
    file = UploadField(
        load_default=None,
        metadata={
            "label": N_("Evidence"),
            "widget": "file",
            "hint": N_("PDF, DOCX, XLSX, ZIP or picture, at most 20 MiB. Its SHA-256 is recorded."),
            "accept": ACCEPT,
        },
    )


class ProposeIn(_LadderIn):
    """A proposal for a finding."""

    command = Proposal
    facts = text(
        N_("Facts and reasons"),
        required=False,
        longest=2000,
        widget="textarea",
        hint=N_("The side concerned reads this. Empty: the finding as it stands."),
    )
    version = version_field()


class ReportIn(_LadderIn):
    """A violation reported by a person, with the proposal."""

    command = Report
    uscc = text(N_("Unified social credit code"), longest=18)
    ground = _choice(Ground, N_("Violation"), [(str(ground), v.label) for ground, v in VIOLATIONS.items()])
    facts = text(N_("Facts and reasons"), longest=2000, widget="textarea", hint=N_("The side concerned reads this."))


class StatementIn(InputSchema):
    """The view of the side concerned."""

    command = Statement
    text = text(N_("Your statement"), longest=4000, widget="textarea", hint=N_("Once, before the decision."))
    version = version_field()


class RepairIn(InputSchema):
    """An application for repair."""

    command = ApplyRepair
    text = text(N_("What has been put right"), longest=4000, widget="textarea")
    file = UploadField(
        load_default=None,
        metadata={
            "label": N_("Evidence"),
            "widget": "file",
            "hint": N_("PDF, DOCX, XLSX, ZIP or picture, at most 20 MiB. Its SHA-256 is recorded."),
            "accept": ACCEPT,
        },
    )
    version = version_field()


class SanctionQuery(InputSchema):
    """Filters of the list."""

    state = fields.String(
        load_default=None,
        allow_none=True,
        metadata={
            "label": N_("State"),
            "widget": "select",
            "choices": [("", N_("All")), *((str(state), SANCTION.labels[state]) for state in SanctionState)],
        },
    )
    side = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.OneOf(["", *Side], error=N_("Must be one of the choices.")),
        metadata={
            "label": N_("Side"),
            "widget": "select",
            "choices": [("", N_("All")), (Side.AGENCY.value, N_("Agencies")), (Side.OWNER.value, N_("Owners"))],
        },
    )
    page = fields.Integer(load_default=1, validate=validate.Range(1, 100_000, error=N_("Invalid value.")))


class DayQuery(InputSchema):
    """The day whose score is explained."""

    day = fields.Date(load_default=None, allow_none=True, metadata={"label": N_("Day"), "widget": "date"})
