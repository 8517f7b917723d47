"""What comes in about ratings, replies and appeals: one schema for the JSON body and for the form."""

from typing import Any

from marshmallow import fields, validate

from app.kernel.files import ACCEPT
from app.kernel.words import N_
from app.web.schemas import REQUIRED, InputSchema, UploadField, text, version_field
from marketplace.services.reviews import AppealRating, Inspect, RateDeliverable, RateOwner, RateService, Reply

STARS = tuple((str(n), "★" * n) for n in range(5, 0, -1))
GROUND_LABELS = {
    "facts": N_("The facts are wrong"),
    "retaliation": N_("Retaliation for a complaint or a refusal"),
    "extortion": N_("A better rating was offered for a favour"),
    "abuse": N_("Abuse or something that does not concern the service"),
}


def stars(label: str, *, required: bool = True, hint: str = "") -> fields.Integer:
    """One to five stars."""
    missing: dict[str, Any] = {} if required else {"load_default": None, "allow_none": True}
    return fields.Integer(
        required=required,
        strict=False,
        validate=validate.Range(1, 5, error=N_("Give one to five stars.")),
        error_messages={**(REQUIRED if required else {}), "invalid": N_("Give one to five stars.")},
        metadata={"label": label, "widget": "radio", "choices": STARS, "hint": hint},
        **missing,
    )


def _comment() -> fields.String:
    return text(N_("Comment"), required=False, longest=1000, widget="textarea", hint=N_("It will be public."))


class RateIn(InputSchema):
    """The owner's stars in five dimensions, and an overall one."""

    command = RateService
    quality = stars(N_("Quality of the work"))
    timeliness = stars(N_("Keeping to time"))
    attitude = stars(N_("Attitude"))
    fee = stars(N_("Fairness of the fee"))
    conformity = stars(N_("Conformity with the rules"))
    overall = stars(N_("All in all"), required=False, hint=N_("Optional: without it the mean of the five counts."))
    comment = _comment()
    version = version_field()


class RateDeliverableIn(InputSchema):
    """The department's stars."""

    command = RateDeliverable
    quality = stars(N_("Quality of the work"))
    timeliness = stars(N_("Keeping to time"))
    comment = _comment()
    version = version_field()


class InspectIn(InputSchema):
    """The outcome of an inspection."""

    command = Inspect
    quality = stars(N_("Quality of the work"))
    conformity = stars(N_("Conformity with the rules"))
    comment = _comment()
    version = version_field()


class RateOwnerIn(InputSchema):
    """The agency's stars for its owner."""

    command = RateOwner
    response = stars(N_("Answers in time"))
    payment = stars(N_("Pays in time"))
    clarity = stars(N_("Clear demands"))
    overall = stars(N_("All in all"), required=False, hint=N_("Optional: without it the mean of the others counts."))
    comment = _comment()
    version = version_field()


class ReplyIn(InputSchema):
    """A public reply."""

    command = Reply
    text = text(N_("Your reply"), longest=1000, widget="textarea", hint=N_("Public at once, and final."))
    version = version_field()


class AppealIn(InputSchema):
    """An appeal against a rating."""

    command = AppealRating
    ground = fields.String(
        required=True,
        validate=validate.OneOf(list(GROUND_LABELS), error=N_("Must be one of the choices.")),
        error_messages=REQUIRED,
        metadata={"label": N_("Ground of the appeal"), "widget": "select", "choices": list(GROUND_LABELS.items())},
    )
    text = text(N_("What happened, and what supports it"), longest=2000, widget="textarea")
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
