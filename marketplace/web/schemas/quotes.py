"""Input of sealed quotes. Neither the JSON body nor the form has a field in which a browser that seals would send a price."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, post_load, validate

from app.kernel.files import Upload
from app.kernel.words import N_
from app.web.schemas import REQUIRED, InputSchema, MoneyField, UploadField, text, version_field
from marketplace.models.quotes import SealedIn
from marketplace.services.quotes import GiveShare, HandIn, PlainQuote
from marketplace.services.tender_keys import MakeHolderKey
from marketplace.web.schemas.procurements import RegisterIn


class Base64Field(fields.Field[bytes]):
    """Bytes as base64 text."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bytes:  # noqa: ARG002
        try:
            return base64.b64decode(value, validate=True)
        except (TypeError, ValueError, binascii.Error) as bad:
            raise ValidationError(N_("This is not a sealed quote.")) from bad


class HexField(fields.Field[bytes]):
    """Bytes as hex digits."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bytes:  # noqa: ARG002
        try:
            return bytes.fromhex(value)
        except (TypeError, ValueError) as bad:
            raise ValidationError(N_("Not a valid string.")) from bad


class HandInIn(InputSchema):
    """A quote that a browser (or a program) has sealed."""

    commitment = fields.String(
        required=True,
        validate=validate.Regexp(r"[0-9a-f]{64}\Z", error=N_("The commitment is 64 hex digits in lower case.")),
        error_messages=REQUIRED,
        metadata={"label": N_("Commitment"), "widget": "hidden"},
    )
    sealed = Base64Field(
        required=True, error_messages=REQUIRED, metadata={"label": N_("Sealed quote"), "widget": "hidden"}
    )
    sealed_plan = UploadField(load_default=None, metadata={"label": N_("Response plan"), "widget": "file"})
    contribution = RegisterIn().fields["contribution"]
    version = version_field()

    @post_load
    def _build(self, data: Mapping[str, Any], **_: Any) -> HandIn:
        plan: Upload | None = data["sealed_plan"]
        return HandIn(
            commitment=data["commitment"],
            sealed=data["sealed"],
            plan=plan.content if plan else None,
            contribution=data["contribution"],
            version=data["version"],
        )


class PlainQuoteIn(InputSchema):
    """A price for the server to seal, from a browser that cannot."""

    price = MoneyField(
        required=True,
        error_messages=REQUIRED,
        metadata={
            "label": N_("Your price (yuan)"),
            "hint": N_("In yuan with at most two decimals. Nobody sees it before the opening."),
            "widget": "money",
            "autocomplete": "off",
        },
    )
    plan = UploadField(
        load_default=None,
        metadata={
            "label": N_("Response plan"),
            "hint": N_("PDF, DOCX, XLSX, ZIP or pictures up to 20 MiB. It is sealed like the price."),
            "widget": "file",
        },
    )
    contribution = RegisterIn().fields["contribution"]
    version = version_field()

    @post_load
    def _build(self, data: Mapping[str, Any], **_: Any) -> PlainQuote:
        return PlainQuote(data["price"], data["plan"], data["contribution"], data["version"])


class GiveShareIn(InputSchema):
    """A holder's share: opened by its browser, or its code for the server to open it with. The platform sends neither."""

    command = GiveShare
    share = HexField(load_default=None, allow_none=True, metadata={"label": N_("Share of the key"), "widget": "hidden"})
    code = text(
        N_("Opening code"),
        required=False,
        longest=60,
        hint=N_("28 signs in seven groups. The code that was in force when the notice was published."),
        autocomplete="off",
    )
    version = version_field()


class GiveCodeIn(GiveShareIn):
    """The form of a human holder, who gives a code."""

    code = text(
        N_("Opening code"),
        longest=60,
        hint=N_("28 signs in seven groups. The code that was in force when the notice was published."),
        autocomplete="off",
    )


class MakeHolderKeyIn(InputSchema):
    """The public half of a new opening code, as hex."""

    public_key = HexField(required=True, error_messages=REQUIRED, metadata={"label": N_("Public key")})
    version = version_field()

    @post_load
    def _build(self, data: Mapping[str, Any], **_: Any) -> MakeHolderKey:
        return MakeHolderKey(data["public_key"], SealedIn.BROWSER, data["version"])
