"""Input of receivers and of the hall's settings: one schema for the JSON body and the HTML form."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import has_request_context, request
from marshmallow import ValidationError, fields, post_load, validate

from app.kernel.files import ACCEPT
from app.kernel.words import N_
from app.web.schemas import REQUIRED, InputSchema, MoneyField, UploadField, text, version_field
from delivery import links, places, rules
from delivery.doorstep import IdType
from delivery.models.complaints import ComplaintKind
from delivery.models.mandates import LetterScope
from delivery.promises import Area
from delivery.queries import agreements
from delivery.services.addresses import ChangeAddress, ChoosePoint
from delivery.services.complaints import Complain, Reply
from delivery.services.mandates import GrantLetter
from delivery.services.merging import Merge
from delivery.services.orders import Receiver
from delivery.services.papers import ReceivePapers
from delivery.services.recipients import AgreeDay, ChooseDay, Intercept
from delivery.services.schedules import KeepPoint, SetPromise, SetSchedule
from delivery.states import ComplaintState
from delivery.terms import LONGEST_KEPT
from delivery.words import ID_TYPES

AREA_LABELS = {
    Area.SAME_CITY: N_("Same city"),
    Area.SAME_PROVINCE: N_("Same province"),
    Area.ELSEWHERE: N_("Elsewhere in the country"),
}


def this_object() -> UUID | None:
    """The object that the request is about."""
    if not has_request_context():
        return None
    given = request.view_args or {}
    found = given.get("object_id")
    if isinstance(found, UUID):
        return found
    return links.opened(given["token"]).parcel_id if "token" in given else None


class PasteIn(InputSchema):
    """A line that was pasted."""

    pasted = text(
        N_("Paste name, telephone and address"), longest=500, widget="textarea", autocomplete="off",
        hint=N_("As a chat or an order page shows them, in any order. The fields below are filled in; check them."),
    )  # fmt: skip


class ChangeAddressIn(InputSchema):
    """Another receiver or address."""

    name = text(N_("Receiver"), longest=60, autocomplete="name")
    mobile = text(N_("Mobile number"), longest=11, widget="tel", autocomplete="tel")
    region = text(N_("Province, city, county"), longest=60, widget="region")
    address = text(N_("Street, number, room"), longest=200, autocomplete="street-address")
    code = text(
        N_("Pick-up code"),
        required=False,
        longest=12,
        autocomplete="off",
        hint=N_("It proves that you are the receiver. Five wrong ones lock it."),
    )
    version = version_field()

    @post_load
    def _build(self, data: Mapping[str, Any], **_: Any) -> ChangeAddress:
        names = places.named(data["region"])
        if names is None:
            raise ValidationError({"region": [N_("Choose province, city and county.")]})
        if not rules.is_mobile(data["mobile"]):
            raise ValidationError({"mobile": [N_("Give a mainland mobile number of eleven digits.")]})
        receiver = Receiver(data["name"], data["mobile"], *names, data["address"])
        return ChangeAddress(receiver, data.get("code") or "", data.get("reason") or "", data["version"])


class StaffAddressIn(ChangeAddressIn):
    """The same by the hall, which says how it made sure."""

    class Meta(ChangeAddressIn.Meta):  # noqa: D106
        exclude = ("code",)

    reason = text(N_("How you made sure that the receiver wants this"), longest=500, widget="textarea")


class ChooseDayIn(InputSchema):
    """The day on which somebody is there."""

    command = ChooseDay
    day = fields.Date(
        required=True,
        error_messages=REQUIRED,
        metadata={"label": N_("Day"), "widget": "date"},
    )
    version = version_field()


class AgreeDayIn(InputSchema):
    """A day agreed by telephone, and how."""

    command = AgreeDay
    day = fields.Date(required=True, error_messages=REQUIRED, metadata={"label": N_("Day"), "widget": "date"})
    reason = text(N_("How it was agreed with the receiver"), longest=500, widget="textarea")
    version = version_field()


def points_to_choose() -> list[tuple[str, str, str]]:
    """The collection points for the parcel that this request is about, as choices."""
    parcel_id = this_object()
    return agreements.point_choices(parcel_id) if parcel_id else []


class ChoosePointIn(InputSchema):
    """The collection point where the parcel is to wait."""

    command = ChoosePoint
    collection_point_id = fields.UUID(
        required=True, error_messages=REQUIRED,
        metadata={"label": N_("Collection point"), "widget": "radio", "choices": points_to_choose},
    )  # fmt: skip
    code = text(
        N_("Pick-up code"), longest=12, autocomplete="off", hint=N_("It proves that you are the receiver. Five wrong ones lock it."),
    )  # fmt: skip
    version = version_field()


class InterceptIn(InputSchema):
    """Why a parcel is to be stopped."""

    command = Intercept
    reason = text(N_("Reason"), longest=500, widget="textarea")
    version = version_field()


class GrantLetterIn(InputSchema):
    """Whom the receiver authorises."""

    command = GrantLetter
    agent_name = text(
        N_("Agent's name"), longest=60, autocomplete="off", hint=N_("As on the agent's identity document.")
    )
    agent_id_type = fields.Enum(
        IdType, by_value=True, load_default=IdType.RESIDENT_CARD, error_messages=REQUIRED,
        metadata={"label": N_("Agent's document"), "widget": "select", "choices": [(str(k), v) for k, v in ID_TYPES.items()]},
    )  # fmt: skip
    agent_id_last4 = text(
        N_("Last four characters of its number"),
        longest=4,
        autocomplete="off",
        hint=N_("Only these four are kept; the courier compares them."),
    )
    scope = fields.Enum(
        LetterScope, by_value=True, load_default=LetterScope.DOOR, error_messages=REQUIRED,
        metadata={"label": N_("The agent may"), "widget": "radio", "choices": [(str(k), v) for k, v in agreements.SCOPE_LABELS.items()]},
    )  # fmt: skip
    valid_until = fields.Date(required=True, error_messages=REQUIRED, metadata={"label": N_("Valid until")})
    file = UploadField(
        load_default=None,
        metadata={
            "label": N_("Signed letter"),
            "hint": N_("A photo or PDF, where you have signed one on paper."),
            "accept": ACCEPT,
        },
    )
    version = version_field()


class MergeIn(InputSchema):
    """The parcel that this one is put into."""

    command = Merge
    into_id = fields.UUID(
        required=True, error_messages=REQUIRED,
        metadata={
            "label": N_("Together with"), "widget": "radio",
            "choices": lambda: agreements.mergeable_choices(object_id) if (object_id := this_object()) else [],
        },
    )  # fmt: skip
    version = version_field()


class ComplainIn(InputSchema):
    """What went wrong."""

    command = Complain
    kind = fields.Enum(
        ComplaintKind, by_value=True, required=True, error_messages=REQUIRED,
        metadata={"label": N_("What is it about?"), "widget": "select", "choices": [(str(k), v) for k, v in agreements.COMPLAINT_LABELS.items()]},
    )  # fmt: skip
    text = text(
        N_("What happened, in your words"),
        longest=2000,
        widget="textarea",
        hint=N_("Say what, when and where. Do not write identity numbers."),
    )
    version = version_field()


class ReplyIn(InputSchema):
    """The hall's answer."""

    command = Reply
    text = text(
        N_("Answer"), longest=2000, widget="textarea", hint=N_("What was found out, and what is done about it.")
    )
    version = version_field()


class ComplaintQuery(InputSchema):
    """Filter of the complaints."""

    state = fields.String(load_default=None, validate=validate.OneOf([None, *ComplaintState]))
    page = fields.Integer(load_default=1, validate=validate.Range(1, 100_000))


def papers_on_list() -> list[tuple[str, str]]:
    """The papers of the collection that this request is about, as choices."""
    from app.web.session import current_actor

    papers_id = this_object()
    return [(name, name) for name in agreements.papers_view(current_actor(), papers_id).papers] if papers_id else []


class ReceivePapersIn(InputSchema):
    """What was found when the papers were compared with the list."""

    missing = fields.List(
        fields.String(), load_default=(),
        metadata={"label": N_("Missing"), "hint": N_("Tick what is on the list but not in the envelope."), "widget": "checkboxes", "choices": papers_on_list},
    )  # fmt: skip
    remark = text(N_("Remark"), required=False, longest=500)
    version = version_field()

    @post_load
    def _build(self, data: Mapping[str, Any], **_: Any) -> ReceivePapers:
        return ReceivePapers(tuple(data["missing"]), data["remark"], data["version"])


class ScheduleIn(InputSchema):
    """Cut-off and pickup windows."""

    cutoff = text(
        N_("Cut-off"),
        longest=5,
        hint=N_("What is ready until then leaves the same day, for example 16:00."),
        autocomplete="off",
    )
    windows = text(
        N_("The courier comes at"),
        longest=500,
        widget="textarea",
        hint=N_("One window a line, for example 10:00-10:30. Working days only."),
    )
    version = version_field()

    @post_load
    def _build(self, data: Mapping[str, Any], **_: Any) -> SetSchedule:
        lines = [
            line.strip().replace("–", "-").replace("—", "-").replace("：", ":")
            for line in data["windows"].splitlines()
            if line.strip()
        ]
        windows = tuple(tuple(part.strip() for part in line.split("-")) for line in lines)
        if any(len(window) != 2 for window in windows):
            raise ValidationError(
                {"windows": [N_("Write the windows like 10:00-10:30, in order and without overlap.")]}
            )
        return SetSchedule(data["cutoff"].replace("：", ":"), windows, data["version"])


class PromiseIn(InputSchema):
    """Service days and tariff of one area."""

    area = fields.String(
        load_default="", validate=validate.OneOf(["", *Area]),
        metadata={"label": N_("Area"), "widget": "select", "choices": [("", N_("A region, below")), *((str(k), v) for k, v in AREA_LABELS.items())]},
    )  # fmt: skip
    region = text(
        N_("Region"),
        required=False,
        longest=60,
        widget="region",
        hint=N_("A province, city or county with its own days."),
    )
    days = fields.Integer(
        load_default=None, allow_none=True, validate=validate.Range(0, 30, error=N_("Between 0 and 30 days.")),
        metadata={"label": N_("Days from collection to delivery"), "hint": N_("Leave it empty where the hall does not send.")},
    )  # fmt: skip
    fee_fen = MoneyField(load_default=0, metadata={"label": N_("Tariff in yuan"), "widget": "money"})

    @post_load
    def _build(self, data: Mapping[str, Any], **_: Any) -> SetPromise:
        area = data["area"] or data["region"] or ""
        if not area:
            raise ValidationError({"area": [N_("Choose an area of the list, or a region.")]})
        return SetPromise(area, data["days"], data["fee_fen"])


class PointIn(InputSchema):
    """A collection point."""

    command = KeepPoint
    name = text(N_("Name of the post office or agency point"), longest=60)
    region_code = text(N_("Province, city, county"), longest=60, widget="region")
    address = text(N_("Street, number"), longest=200)
    phone = text(N_("Telephone"), longest=20, widget="tel")
    hours = text(N_("Opening hours"), longest=60, hint=N_("For example: every day 9:00-18:00"))
    kept_days = fields.Integer(
        load_default=None,
        allow_none=True,
        validate=validate.Range(1, LONGEST_KEPT, error=N_("Between 1 and 30 days.")),
        metadata={"label": N_("Kept for days"), "hint": N_("Empty: as many as the rule book says.")},
    )
