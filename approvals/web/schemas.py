"""What comes in about cases: one schema for the JSON body and for the form."""

from collections.abc import Mapping, Sequence
from typing import Any

from marshmallow import ValidationError, fields, post_load, validate

from app.identity.models import OrganisationKind
from app.identity.queries import organisations_of_kind
from app.kernel.files import ACCEPT
from app.kernel.words import N_
from app.web.schemas import REQUIRED, InputSchema, UploadField, text, version_field
from approvals.queries.cases import approval_items
from approvals.services.commands import (
    Apply,
    ChooseService,
    Correct,
    Decide,
    Demand,
    HandOver,
    OrderCollection,
    Reasoned,
    Receiver,
    Step,
)
from approvals.states import (
    CARRIED,
    SERVICE_MODE_LABELS,
    SIGNATORY_LABELS,
    CaseState,
    CertificateState,
    ServiceMode,
    Signatory,
)
from delivery import places, terms
from delivery.queries.agreements import FEE_LABELS, points_of
from delivery.services.papers import WINDOWS
from delivery.terms import FeeMode
from marketplace.queries.listed_items import ListedItem, versions_to_demand

MOBILE = r"1[3-9][0-9]{9}\Z"
NOT_A_CHOICE = {
    **REQUIRED,
    "unknown": N_("Must be one of the choices."),
    "invalid_uuid": N_("Must be one of the choices."),
}
RECEIVER_FIELDS = ("receiver_name", "receiver_mobile", "region_code", "address")


def item_choices() -> Sequence[tuple[str, str]]:
    """Approval items for a select."""
    return [(str(item.id), f"{item.name} · {item.department_name}") for item in approval_items()]


def hall_choices() -> Sequence[tuple[str, str]]:
    """Service halls for a select."""
    return [(str(hall.id), hall.name) for hall in organisations_of_kind(OrganisationKind.HALL)]


def listed_item_choices() -> Sequence[tuple[str, str]]:
    """The item list: each entry's version in force, and replaced ones for applications handed in under them."""
    return [(str(item.version_id), f"{item.code} {item.name}{_until(item)}") for item in versions_to_demand()]


def _until(item: ListedItem) -> str:
    return f" (v{item.version}, → {item.effective_to})" if item.effective_to else ""


def point_choices() -> Sequence[tuple[str, str]]:
    """Collection points near the applicants; those of another hall are refused when the choice is kept."""
    return [
        ("", N_("Choose a collection point.")),
        *((str(each.id), f"{each.name} · {each.place}") for each in points_of(None)),
    ]


def fee_choices() -> Sequence[tuple[str, str]]:
    """The ways of paying the postage that the rule book offers."""
    return [(mode, FEE_LABELS[FeeMode(mode)]) for mode in terms.in_force().fee_modes]


def files_field(label: str, hint: str) -> fields.List[Any]:
    """Several files."""
    return fields.List(
        UploadField(),
        load_default=[],
        validate=validate.Length(max=10, error=N_("At most ten files.")),
        metadata={"label": label, "hint": hint, "widget": "file", "accept": ACCEPT},
    )


class ServiceFields(InputSchema):
    """How the result is to reach the applicant; flat, because forms are."""

    mode = fields.Enum(
        ServiceMode,
        by_value=True,
        required=True,
        error_messages=NOT_A_CHOICE,
        metadata={
            "label": N_("How should the result reach you?"),
            "widget": "radio",
            "choices": [(str(mode), label) for mode, label in SERVICE_MODE_LABELS.items()],
        },
    )
    receiver_name = text(
        N_("Receiver"),
        required=False,
        longest=60,
        autocomplete="name",
        hint=N_("As on the identity card."),
    )
    receiver_mobile = text(
        N_("Mobile of the receiver"),
        required=False,
        longest=20,
        widget="tel",
        autocomplete="tel",
        hint=N_("The courier calls it, and the pick-up code is sent to it."),
    )
    region_code = text(N_("Province, city and county"), required=False, longest=60, widget="region")
    address = text(N_("Street, house, room"), required=False, longest=120, autocomplete="street-address")
    who_may_sign = fields.Enum(
        Signatory,
        by_value=True,
        load_default=Signatory.SELF,
        error_messages=NOT_A_CHOICE,
        metadata={
            "label": N_("Who may sign for the envelope?"),
            "widget": "radio",
            "choices": [(str(who), label) for who, label in SIGNATORY_LABELS.items()],
        },
    )
    collection_point_id = fields.UUID(
        load_default=None,
        allow_none=True,
        error_messages=NOT_A_CHOICE,
        metadata={"label": N_("Collection point"), "widget": "select", "choices": point_choices},
    )
    fee_mode = fields.String(
        load_default=None,
        allow_none=True,
        metadata={"label": N_("Who pays the postage?"), "widget": "select", "choices": fee_choices},
    )
    mandate_accepted = fields.Boolean(
        load_default=False,
        metadata={
            "label": N_("I authorise the courier to collect the result for me and have noted the pick-up code rule."),
            "hint": N_("Letter of authority for government express, version 2026-1; see below."),
            "widget": "checkbox",
        },
    )


def service_of(data: Mapping[str, Any], version: int | None = None) -> ChooseService:
    """Build the choice; raises ValidationError by field when a courier's address is incomplete."""
    mode: ServiceMode = data["mode"]
    if mode not in CARRIED:
        return ChooseService(mode=mode, version=version)
    needed = (
        RECEIVER_FIELDS if mode is ServiceMode.COURIER else ("receiver_name", "receiver_mobile", "collection_point_id")
    )
    errors: dict[str, list[str]] = {name: [N_("Please fill this in.")] for name in needed if not data.get(name)}
    if data.get("receiver_mobile") and not validate.Regexp(MOBILE).regex.match(data["receiver_mobile"]):
        errors["receiver_mobile"] = [N_("Write a mobile number of eleven digits.")]
    names = places.named(data["region_code"]) if data.get("region_code") else None
    if (
        mode is ServiceMode.COURIER
        and data.get("region_code")
        and (names is None or data["region_code"].endswith("00"))
    ):
        errors["region_code"] = [N_("Choose the region down to the county or district.")]
    if not data.get("mandate_accepted"):
        errors["mandate_accepted"] = [N_("The courier needs your letter of authority to collect the result.")]
    if errors:
        raise ValidationError(errors)
    at_door = mode is ServiceMode.COURIER
    prov, city, county = names if at_door and names else ("", "", "")
    return ChooseService(
        mode=mode,
        receiver=Receiver(data["receiver_name"], data["receiver_mobile"], prov, city, county, data["address"] or ""),
        who_may_sign=data["who_may_sign"],
        mandate_accepted=True,
        collection_point_id=None if at_door else data["collection_point_id"],
        fee_mode=data["fee_mode"],
        version=version,
    )


class CaseFields(InputSchema):
    """What is applied for, and where."""

    item_id = fields.UUID(
        required=True,
        error_messages=NOT_A_CHOICE,
        metadata={"label": N_("What do you apply for?"), "widget": "select", "choices": item_choices},
    )
    hall_organisation_id = fields.UUID(
        required=True,
        error_messages=NOT_A_CHOICE,
        metadata={"label": N_("Service hall"), "widget": "select", "choices": hall_choices},
    )
    project_name = text(N_("Name of the project"))
    description = text(N_("Short description"), required=False, longest=2000, widget="textarea")
    materials = files_field(N_("Application materials"), N_("Up to ten files of at most 20 MiB each."))


class ApplyIn(ServiceFields, CaseFields):
    """An application with the way of service, captured once: first the case, then its delivery."""

    @post_load
    def _build(self, data: Mapping[str, Any], **_: Any) -> Apply:
        return Apply(
            item_id=data["item_id"],
            hall_organisation_id=data["hall_organisation_id"],
            project_name=data["project_name"],
            description=data["description"],
            materials=tuple(data["materials"]),
            service=service_of(data),
        )


class ChooseServiceIn(ServiceFields):
    """Another way of service."""

    version = version_field()

    @post_load
    def _build(self, data: Mapping[str, Any], **_: Any) -> ChooseService:
        return service_of(data, data["version"])


class OrderCollectionIn(InputSchema):
    """Originals to be collected by a courier."""

    name = text(N_("Who hands them over"), longest=60, autocomplete="name")
    mobile = text(N_("Mobile number"), longest=11, widget="tel", autocomplete="tel")
    region_code = text(N_("Province, city and county"), longest=60, widget="region")
    address = text(N_("Street, house, room"), longest=120, autocomplete="street-address")
    papers = text(
        N_("Papers"),
        longest=2000,
        widget="textarea",
        hint=N_("One a line; the hall compares them with this list when they arrive."),
    )
    day = fields.Date(
        required=True,
        error_messages=REQUIRED,
        metadata={"label": N_("Day"), "hint": N_("From tomorrow, at most as far ahead as the city's rules allow.")},
    )
    window = fields.String(
        required=True, error_messages=REQUIRED, validate=validate.OneOf(WINDOWS),
        metadata={"label": N_("Time window"), "widget": "select", "choices": [(each, each) for each in WINDOWS]},
    )  # fmt: skip
    version = version_field()

    @post_load
    def _build(self, data: Mapping[str, Any], **_: Any) -> OrderCollection:
        names = places.named(data["region_code"])
        if names is None:
            raise ValidationError({"region_code": [N_("Choose the region down to the county or district.")]})
        sender = Receiver(data["name"], data["mobile"], *names, data["address"])
        papers = tuple(line.strip() for line in data["papers"].splitlines() if line.strip())
        return OrderCollection(sender, papers, data["day"], data["window"])


class StepIn(InputSchema):
    """A step without input."""

    command = Step
    version = version_field()


class ReasonedIn(InputSchema):
    """A step with its reason."""

    command = Reasoned
    reason = text(N_("Reason"), longest=2000, widget="textarea")
    version = version_field()


class CorrectIn(InputSchema):
    """A correction."""

    reason = text(N_("What did you correct or add?"), longest=2000, widget="textarea")
    materials = files_field(N_("Further materials"), N_("Up to ten files of at most 20 MiB each."))
    version = version_field()

    @post_load
    def _build(self, data: Mapping[str, Any], **_: Any) -> Correct:
        return Correct(reason=data["reason"], materials=tuple(data["materials"]), version=data["version"])


class DemandIn(InputSchema):
    """A demand for an intermediary service."""

    command = Demand
    item_version_id = fields.UUID(
        required=True,
        error_messages=NOT_A_CHOICE,
        metadata={
            "label": N_("Service of the published list"),
            "widget": "select",
            "choices": listed_item_choices,
            "hint": N_("Nothing outside the published item list may be demanded."),
        },
    )
    reason = text(N_("Why this case needs it"), longest=1000, widget="textarea")
    version = version_field()


class DecideIn(InputSchema):
    """A plain approval; a remark is printed on the certificate."""

    command = Decide
    reason = text(N_("Remark on the certificate"), required=False, longest=1000, widget="textarea")
    version = version_field()


class DecideWithReasonIn(InputSchema):
    """A decision that needs its reasons."""

    command = Decide
    reason = text(N_("Reasons of the decision"), longest=2000, widget="textarea")
    version = version_field()


class HandOverIn(InputSchema):
    """Collection at the window."""

    command = HandOver
    signer_name = text(N_("Collected by"), longest=60, hint=N_("Check the identity card or the pick-up code first."))
    version = version_field()


class CaseQuery(InputSchema):
    """Filters of the list."""

    state = fields.String(
        load_default=None, validate=validate.OneOf(list(CaseState), error=N_("Must be one of the choices."))
    )
    page = fields.Integer(load_default=1, validate=validate.Range(1, 100_000, error=N_("Invalid value.")))


class QueueQuery(InputSchema):
    """Filters of the print queue."""

    state = fields.String(
        load_default=str(CertificateState.QUEUED),
        validate=validate.OneOf(list(CertificateState), error=N_("Must be one of the choices.")),
    )
    page = fields.Integer(load_default=1, validate=validate.Range(1, 100_000, error=N_("Invalid value.")))


class ProgressQuery(InputSchema):
    """What opens the public progress page."""

    number = text(N_("Case number"), longest=30, hint=N_("For example BJ-2026-000123"))
    code = text(N_("Query code"), longest=20, hint=N_("Eight characters, on your receipt and in your case"))
