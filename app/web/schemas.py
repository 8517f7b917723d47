"""Base classes and fields of all input schemas. One schema reads the JSON body and the HTML form."""

from collections.abc import Mapping
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, post_load, validate
from werkzeug.datastructures import FileStorage

from app.kernel.commands import Plain, WithReason
from app.kernel.files import Upload
from app.kernel.money import Money
from app.kernel.words import N_
from app.web.regions import region_meant

# marshmallow's own messages, marked for the catalogue; the web translates them when they are shown
MARSHMALLOW_MESSAGES = (
    N_("Missing data for required field."),
    N_("Field may not be null."),
    N_("Invalid value."),
    N_("Unknown field."),
    N_("Not a valid string."),
    N_("Not a valid number."),
    N_("Not a valid integer."),
    N_("Not a valid boolean."),
    N_("Not a valid date."),
    N_("Not a valid datetime."),
    N_("Not a valid UUID."),
    N_("Not a valid list."),
    N_("Not a valid email address."),
    N_("Not a valid mapping type."),
    N_("Invalid input type."),
    N_("Must be one of the choices."),
    N_("Please fill this in."),
    N_("This is too long."),
    N_("This is too short."),
    N_("This number is too small."),
    N_("This number is too large."),
)

REQUIRED: dict[str, Any] = {"required": N_("Please fill this in."), "null": N_("Please fill this in.")}


class InputSchema(Schema):
    """Explicit fields, anything else refused. `command` is the frozen dataclass that `@post_load` builds."""

    command: type[Any] | None = None

    class Meta:  # noqa: D106
        unknown = RAISE

    @post_load
    def _build(self, data: Mapping[str, Any], **_: Any) -> Any:
        return self.command(**data) if self.command else data


class MoneyField(fields.Field[int]):
    """Yuan with at most two decimals on the way in ("1234.50"), integer fen inside."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:  # noqa: ARG002
        if isinstance(value, bool | float) or not isinstance(value, str | int):
            raise ValidationError(N_("Write the amount in yuan with at most two decimals, for example 1234.50."))
        try:
            return Money.from_yuan(str(value).strip().replace(",", "")).fen
        except ValueError as bad:
            raise ValidationError(
                N_("Write the amount in yuan with at most two decimals, for example 1234.50.")
            ) from bad

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:  # noqa: ARG002
        return None if value is None else Money(value).yuan


class UploadField(fields.Field[Upload]):
    """One uploaded file of a multipart form."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Upload:  # noqa: ARG002
        if not isinstance(value, FileStorage):
            raise ValidationError(N_("Choose a file."))
        return Upload.from_storage(value)


class FormText(fields.String):
    """Text without leading and trailing blanks; blank is missing."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        text = (text or "").replace("\x00", "").strip()
        return region_meant(text) if self.metadata.get("widget") == "region" else text


def text(
    label: str,
    *,
    required: bool = True,
    longest: int = 200,
    widget: str = "text",
    hint: str = "",
    **metadata: Any,
) -> FormText:
    """Return a text field with its label; the commonest field."""
    checks: list[Any] = [validate.Length(max=longest, error=N_("This is too long."))]
    if required:
        checks.append(validate.Length(min=1, error=N_("Please fill this in.")))
    missing: dict[str, Any] = {} if required else {"load_default": None, "allow_none": True}
    return FormText(
        required=required,
        validate=checks,
        error_messages=REQUIRED if required else {},
        metadata={"label": label, "hint": hint, "widget": widget, **metadata},
        **missing,
    )


def version_field() -> fields.Integer:
    return fields.Integer(load_default=None, allow_none=True, metadata={"widget": "hidden"})


class PlainIn(InputSchema):
    command = Plain
    version = version_field()


class ReasonIn(InputSchema):
    command = WithReason
    reason = text(N_("Reason"), longest=2000, widget="textarea")
    version = version_field()
