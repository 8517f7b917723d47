"""What comes in about procurements: one schema for the JSON body and for the form."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from flask_babel import get_locale
from marshmallow import ValidationError, fields, post_load, pre_load, validate, validates_schema
from sqlalchemy import select

from app.kernel import clock
from app.kernel.clock import BEIJING
from app.kernel.db import db
from app.kernel.words import N_
from app.web.regions import is_region
from app.web.schemas import REQUIRED, FormText, InputSchema, MoneyField, text, version_field
from marketplace.models.catalogue import ItemVersion, ServiceItem
from marketplace.queries.procurements import STAGE_LABELS, NoticeFilter, Stage, WorkListFilter
from marketplace.rules.categories import CATEGORY_LABELS, Category
from marketplace.rules.notices.text import REFUSED_CONTROL, has_hidden_control, plain_digits
from marketplace.rules.qualifications import GRADE_LABELS, GRADES
from marketplace.rules.selection.gates import FUND_SOURCE_LABELS, FundSource
from marketplace.rules.selection.methods import (
    METHOD_EXPLANATIONS,
    METHOD_LABELS,
    Method,
    needs_quotes,
    needs_registration,
)
from marketplace.services.commands import (
    Answer,
    Ask,
    Avoided,
    EnterValue,
    Extend,
    Justification,
    NoticeDraft,
    Register,
    Revise,
)
from marketplace.states.catalogue import ItemVersionState
from marketplace.states.procurement import PROCUREMENT, ProcurementState
from marketplace.web.schemas.selection import MethodTermsFields, with_terms

_AVOIDED_LINE = re.compile(r"([0-9A-HJ-NPQRTUWXY]{18})\s*[,，;；:：\s]\s*(.+)")


def _readable(field: FormText) -> FormText:
    """`field` for a public text: letters of every script, but no control character that changes how it is read."""
    checks = list(field.validators)

    def letters(value: str) -> None:
        if has_hidden_control(value):
            raise ValidationError(REFUSED_CONTROL)

    field.validators = [*checks, letters]
    return field


class JustificationsField(fields.Field[tuple[Justification, ...]]):
    """Reasons for phrases that look like hidden thresholds: a list of `{"key", "reason"}`; the key is that of the finding."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> tuple[Justification, ...]:  # noqa: ARG002
        if not isinstance(value, list) or len(value) > 100:
            raise ValidationError(N_("Not a valid list."))
        found = []
        for row in value:
            if (
                not isinstance(row, dict)
                or set(row) != {"key", "reason"}
                or not all(isinstance(v, str) for v in row.values())
                or has_hidden_control(row["reason"])
            ):
                raise ValidationError(N_("Each reason needs the key of its finding and a text."))
            found.append(Justification(row["key"][:400], row["reason"].strip()[:1000]))
        return tuple(found)


class BeijingMoment(fields.DateTime):
    """An instant: ISO 8601 with its offset, or the wall clock of Beijing as a form sends it."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        moment: datetime = super()._deserialize(value, attr, data, **kwargs)
        return (moment if moment.tzinfo else moment.replace(tzinfo=BEIJING)).astimezone(UTC)


class AvoidedField(fields.Field[tuple[Avoided, ...]]):
    """Declared conflicts: a JSON list of `{"uscc", "reason"}`, or one line per agency: the code, a blank, the reason."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> tuple[Avoided, ...]:  # noqa: ARG002
        if isinstance(value, str):
            return tuple(_avoided_line(line.strip()) for line in value.splitlines() if line.strip())
        if not isinstance(value, list) or len(value) > 100:
            raise ValidationError(N_("Not a valid list."))
        found = []
        for row in value:
            if (
                not isinstance(row, dict)
                or set(row) != {"uscc", "reason"}
                or not all(isinstance(v, str) for v in row.values())
            ):
                raise ValidationError(N_("Each avoided agency needs a code and a reason."))
            found.append(Avoided(row["uscc"].strip().upper(), row["reason"].strip()[:500]))
        return tuple(found)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str:  # noqa: ARG002
        return "\n".join(f"{conflict.uscc} {conflict.reason}" for conflict in value or ())


def _avoided_line(line: str) -> Avoided:
    match = _AVOIDED_LINE.fullmatch(line.upper()[:18] + line[18:])
    if match is None:
        raise ValidationError(N_("Write one agency per line: its unified social credit code, a blank, the reason."))
    return Avoided(match[1], match[2][:500])


def item_choices() -> Sequence[tuple[str, str]]:
    """The service items in force, by code; shown in the reader's language."""
    rows = db.session.execute(
        select(ItemVersion.id, ServiceItem.code, ItemVersion.name, ItemVersion.name_en)
        .join(ServiceItem, ServiceItem.id == ItemVersion.item_id)
        .where(ItemVersion.state == ItemVersionState.PUBLISHED)
        .order_by(ServiceItem.code)
    )
    english = str(get_locale()) == "en"
    return [(str(row.id), f"{row.code} {row.name_en if english else row.name}") for row in rows]


def region_field(label: str, *, required: bool = True, hint: str = "") -> fields.String:
    """A six-digit division code, picked from the list."""

    def known(code: str) -> None:
        if code and not is_region(code):
            raise ValidationError(N_("Choose a region of the list."))

    missing: dict[str, Any] = (
        {"required": True, "error_messages": REQUIRED} if required else {"load_default": "", "allow_none": True}
    )
    return fields.String(validate=known, metadata={"label": label, "hint": hint, "widget": "region"}, **missing)


def _choice(values: type[FundSource], label: str, labels: Mapping[str, str], **more: Any) -> fields.String:
    return fields.String(
        required=True,
        validate=validate.OneOf([str(value) for value in values], error=N_("Must be one of the choices.")),
        error_messages=REQUIRED,
        metadata={"label": label, "widget": "radio", "choices": [(str(v), labels[v]) for v in values], **more},
    )


def _amount(label: str, *, required: bool = True, hint: str = "") -> MoneyField:
    checks = validate.Range(min=1, max=10**13, error=N_("The amount must be above zero."))
    missing: dict[str, Any] = (
        {"required": True, "error_messages": REQUIRED} if required else {"load_default": None, "allow_none": True}
    )
    return MoneyField(validate=checks, metadata={"label": label, "hint": hint}, **missing)


class NoticeIn(MethodTermsFields, InputSchema):
    """A whole purchase notice. Amounts are yuan, the time limit working days, the deadline Beijing time."""

    command = NoticeDraft
    item_version_id = fields.UUID(
        required=True,
        error_messages=REQUIRED,
        metadata={
            "label": N_("Service item"),
            "hint": N_("Only items of the published list can be bought."),
            "widget": "select",
            "choices": item_choices,
        },
    )
    title = text(N_("Title of the notice"), longest=200)
    project_name = text(N_("Project"), longest=200, hint=N_("The project that needs the service."))
    project_code = text(
        N_("Project code"),
        longest=40,
        required=False,
        hint=N_("For investment projects: the code of the approval platform."),
    )
    region_code = region_field(N_("Region of the project"))
    place = text(N_("Place"), longest=200, required=False)
    scale = text(
        N_("Scale"), longest=500, required=False, hint=N_("For example floor area, length of road, number of samples.")
    )
    content = text(N_("What is to be done"), longest=5000, widget="textarea", rows=6)
    limit_wd = fields.Integer(
        required=True,
        strict=False,
        validate=validate.Range(min=1, max=1000, error=N_("Between 1 and 1000 working days.")),
        error_messages=REQUIRED,
        metadata={
            "label": N_("Time limit of the service (working days)"),
            "hint": N_("At most the limit of the item list."),
        },
    )
    fund_source = _choice(FundSource, N_("Fund source"), FUND_SOURCE_LABELS)
    budget_fen = _amount(N_("Budget"))
    price_fen = _amount(
        N_("Service price"),
        hint=N_(
            "The owner sets the price and the winner is paid it; when agencies quote, leave it empty: the ceiling counts."
        ),
    )
    ceiling_fen = _amount(N_("Ceiling price"), required=False)
    amount_note = text(N_("Remark on the amount"), longest=500, required=False)
    demanded_grade = fields.String(
        load_default="",
        allow_none=True,
        validate=validate.OneOf(["", *GRADES], error=N_("Must be one of the choices.")),
        metadata={
            "label": N_("Lowest grade of the qualification"),
            "hint": N_("Empty: what the item list demands."),
            "widget": "select",
            "choices": [(grade, GRADE_LABELS[grade]) for grade in GRADES],
        },
    )
    demanded_region = region_field(
        N_("Only agencies registered in"),
        required=False,
        hint=N_("Empty: agencies of every region may register, as the rules ask for."),
    )
    avoided = AvoidedField(
        load_default=(),
        metadata={
            "label": N_("Agencies to be avoided"),
            "hint": N_("One per line: unified social credit code, a blank, the reason of the conflict."),
            "widget": "textarea",
        },
    )
    method = fields.String(
        required=True,
        validate=validate.OneOf([str(method) for method in Method], error=N_("Must be one of the choices.")),
        error_messages=REQUIRED,
        metadata={
            "label": N_("Selection method"),
            "widget": "radio",
            "choices": [(str(method), METHOD_LABELS[method], METHOD_EXPLANATIONS[method]) for method in Method],
        },
    )
    has_witness = fields.Boolean(
        load_default=False,
        metadata={"label": N_("A witness is present at the draw"), "widget": "checkbox"},
    )
    registration_ends_at = BeijingMoment(
        required=True,
        error_messages={**REQUIRED, "invalid": N_("Not a valid datetime.")},
        metadata={
            "label": N_("Registration ends at"),
            "hint": N_("Beijing time. At least three working days after publication."),
        },
    )
    contact_name = text(N_("Contact person"), longest=80, autocomplete="name")
    contact_phone = text(N_("Telephone"), longest=40, autocomplete="tel")
    complaint_phone = text(N_("Telephone for complaints"), longest=40, hint=N_("Everybody who objects can call it."))
    justifications = JustificationsField(load_default=(), metadata={"label": N_("Reasons"), "widget": "hidden"})
    version = version_field()

    @pre_load
    def _unchosen(self, data: Mapping[str, Any], **_: Any) -> dict[str, Any]:
        """A form sends its one method as a choice already made; full-width digits count as plain ones everywhere."""
        typed = {name: plain_digits(value) if isinstance(value, str) else value for name, value in data.items()}
        if "method" in self.fields:
            typed = {"method": str(Method.RANDOM), **typed}
        method = str(typed.get("method", Method.RANDOM))
        if needs_quotes(method) and not typed.get("price_fen") and typed.get("ceiling_fen"):
            typed["price_fen"] = typed["ceiling_fen"]  # what is paid is bid; the ceiling is the most it can be
        if not needs_registration(method) and "registration_ends_at" in self.fields:
            typed.setdefault("registration_ends_at", clock.now().isoformat())  # nobody registers for a direct selection
        return typed

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def _letters(self, _data: Any, original: Mapping[str, Any], **_: Any) -> None:
        """No public text holds a control character that changes how it is read."""
        wrong = [name for name, value in original.items() if isinstance(value, str) and has_hidden_control(value)]
        if wrong:
            raise ValidationError({name: [REFUSED_CONTROL] for name in wrong if name in self.fields})

    @post_load
    def _build(self, data: Mapping[str, Any], **_: Any) -> Any:
        values = with_terms(data)
        for name in ("demanded_grade", "demanded_region"):
            values[name] = values[name] or ""
        return NoticeDraft(**values)


class ReviseIn(NoticeIn):
    """A published notice as it shall read, and why it changes."""

    reason = text(
        N_("Why the notice changes"),
        longest=1000,
        widget="textarea",
        rows=3,
        hint=N_("Everybody reads it beside the differences."),
    )

    @post_load
    def _build(self, data: Mapping[str, Any], **more: Any) -> Any:
        values = dict(data)
        reason, version = values.pop("reason"), values.get("version")
        return Revise(super()._build(values, **more), reason, version)


class AskIn(InputSchema):
    """A question about a notice."""

    command = Ask
    text = _readable(
        text(
            N_("Your question"),
            longest=1000,
            widget="textarea",
            rows=4,
            hint=N_("Everybody reads it. Do not name your agency: who asks is not shown before the registration ends."),
        )
    )
    version = version_field()


class AnswerIn(InputSchema):
    """The owner's answer."""

    command = Answer
    answer = _readable(
        text(
            N_("Your answer"),
            longest=2000,
            widget="textarea",
            rows=5,
            hint=N_(
                "Everybody reads it at once, and it cannot be changed. If it changes the notice, change the notice too."
            ),
        )
    )
    version = version_field()


class ExtendIn(InputSchema):
    """A later deadline."""

    command = Extend
    registration_ends_at = BeijingMoment(
        required=True,
        error_messages={**REQUIRED, "invalid": N_("Not a valid datetime.")},
        metadata={
            "label": N_("Registration ends at"),
            "hint": N_("Beijing time. At least three working days from today."),
        },
    )
    version = version_field()


class RegisterIn(InputSchema):
    """A registration with the agency's own contribution to the draw."""

    command = Register
    contribution = fields.String(
        load_default="0" * 64,
        validate=validate.Regexp(
            r"[0-9a-f]{64}\Z", error=N_("The contribution to the draw is 64 hex digits in lower case.")
        ),
        metadata={
            "label": N_("Your contribution to the draw"),
            "hint": N_(
                "64 hex digits, made by your browser. Whoever adds to the seed knows that nobody fixed it before."
            ),
            "maxlength": 64,
        },
    )
    version = version_field()


class EnterValueIn(InputSchema):
    """One announced value, read from its public source."""

    command = EnterValue
    source = text(N_("Source"), longest=40, widget="hidden")
    value = text(
        N_("Published value"),
        longest=200,
        hint=N_("Copy it exactly as its source published it. A second person reads and enters it independently."),
        autocomplete="off",
    )
    version = version_field()


class NoticeQuery(InputSchema):
    """Filters of the public list; they live in the address."""

    command = NoticeFilter
    q = text(N_("Words"), longest=100, required=False)
    stage = fields.String(
        load_default="",
        validate=validate.OneOf(["", *Stage], error=N_("Must be one of the choices.")),
        metadata={"label": N_("State"), "widget": "select", "choices": [(str(s), STAGE_LABELS[s]) for s in Stage]},
    )
    category = fields.String(
        load_default="",
        validate=validate.OneOf(["", *Category], error=N_("Must be one of the choices.")),
        metadata={
            "label": N_("Category"),
            "widget": "select",
            "choices": [(str(c), CATEGORY_LABELS[c]) for c in Category],
        },
    )
    region = region_field(N_("Region"), required=False)
    closing_soon = fields.Boolean(
        load_default=False, metadata={"label": N_("Registration ends within three days"), "widget": "checkbox"}
    )
    page = fields.Integer(load_default=1, validate=validate.Range(min=1, max=100_000), metadata={"widget": "hidden"})

    @post_load
    def _build(self, data: Mapping[str, Any], **_: Any) -> Any:
        values: dict[str, Any] = {name: "" if value is None else value for name, value in data.items()}
        return NoticeFilter(**values)


class WorkListQuery(InputSchema):
    """Filters of the owner's list and the supervisor's; they live in the address."""

    command = WorkListFilter
    q = text(N_("Words"), longest=100, required=False)
    state = fields.String(
        load_default="",
        validate=validate.OneOf(["", *ProcurementState], error=N_("Must be one of the choices.")),
        metadata={
            "label": N_("State"),
            "widget": "select",
            "choices": [(str(state), PROCUREMENT.labels[state]) for state in ProcurementState],
        },
    )
    method = fields.String(
        load_default="",
        validate=validate.OneOf(["", *Method], error=N_("Must be one of the choices.")),
        metadata={
            "label": N_("Selection method"),
            "widget": "select",
            "choices": [(str(method), METHOD_LABELS[method]) for method in Method],
        },
    )
    page = fields.Integer(load_default=1, validate=validate.Range(min=1, max=100_000), metadata={"widget": "hidden"})

    @post_load
    def _build(self, data: Mapping[str, Any], **_: Any) -> Any:
        values: dict[str, Any] = {name: "" if value is None else value for name, value in data.items()}
        return WorkListFilter(**values)


class MineQuery(InputSchema):
    """A page of my own list, perhaps of one state."""

    state = fields.String(load_default="", metadata={"label": N_("State")})
    page = fields.Integer(load_default=1, validate=validate.Range(min=1, max=100_000))
