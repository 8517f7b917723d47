"""A form as a template sees it: the fields of a schema with what was typed and what is wrong with it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as column
from typing import Any

from flask_babel import gettext
from marshmallow import ValidationError
from marshmallow import fields as inputs
from werkzeug.datastructures import FileStorage

from app.kernel.errors import DomainError, Refused
from app.web.parsing import flat_errors
from app.web.schemas import InputSchema, MoneyField, UploadField

Choices = Sequence[tuple[str, ...]] | Callable[[], Sequence[tuple[str, ...]]]

WIDGETS: tuple[tuple[type[Any], str], ...] = (
    (MoneyField, "money"),
    (UploadField, "file"),
    (inputs.Boolean, "checkbox"),
    (inputs.Date, "date"),
    (inputs.DateTime, "datetime"),
    (inputs.Integer, "number"),
    (inputs.Email, "email"),
)


@dataclass(frozen=True)
class FormField:
    """One input. `choices` are (value, translated label) pairs, or triples with a translated note; `errors` are translated."""

    name: str
    label: str
    hint: str
    widget: str
    value: Any
    errors: tuple[str, ...]
    required: bool
    choices: tuple[tuple[str, ...], ...]
    multiple: bool
    attributes: Mapping[str, Any]


@dataclass
class Form:
    """`values` are what was typed or the present values; `errors` map field names ("" = the whole form) to messages."""

    schema: InputSchema
    values: Mapping[str, Any] = column(default_factory=dict)
    errors: Mapping[str, Sequence[str]] = column(default_factory=dict)

    @property
    def fields(self) -> tuple[FormField, ...]:
        return tuple(self._field(name, f) for name, f in self.schema.fields.items() if not f.dump_only)

    @property
    def general_errors(self) -> tuple[str, ...]:
        names = set(self.schema.fields)
        return tuple(gettext(m) for key, messages in self.errors.items() if key not in names for m in messages)

    @property
    def is_blank(self) -> bool:
        """Tell whether there is nothing to type: only hidden fields."""
        return all(f.widget == "hidden" for f in self.fields)

    def __getitem__(self, name: str) -> FormField:
        return self._field(name, self.schema.fields[name])

    def _field(self, name: str, source: inputs.Field[Any]) -> FormField:
        metadata = source.metadata
        inner = source.inner if isinstance(source, inputs.List) else source
        choices: Any = metadata.get("choices", ())
        pairs = choices() if callable(choices) else choices
        widget = metadata.get("widget") or _widget(inner, has_choices=bool(pairs))
        known = {"label", "hint", "widget", "choices"}
        return FormField(
            name=name,
            label=gettext(str(metadata["label"])) if metadata.get("label") else "",
            hint=gettext(str(metadata["hint"])) if metadata.get("hint") else "",
            widget=widget,
            value=self._shown(name, source),
            errors=tuple(gettext(m) for m in self.errors.get(name, ())),
            required=source.required,
            choices=tuple(
                (str(value), *(gettext(str(text)) if text else "" for text in texts)) for value, *texts in pairs
            ),
            multiple=isinstance(source, inputs.List),
            attributes={k: v for k, v in metadata.items() if k not in known},
        )

    def _shown(self, name: str, source: inputs.Field[Any]) -> Any:
        if name not in self.values:
            default = source.load_default
            return "" if default is None or repr(default) == "<marshmallow.missing>" or callable(default) else default
        value = self.values[name]
        if isinstance(value, FileStorage):
            return ""
        if isinstance(source, MoneyField) and isinstance(value, int):
            return source._serialize(value, name, None)  # noqa: SLF001 - the field's own way to show its value
        return value


def _widget(source: Any, *, has_choices: bool) -> str:
    if has_choices:
        return "select"
    return next((widget for kind, widget in WIDGETS if isinstance(source, kind)), "text")


def errors_of(failure: ValidationError | DomainError) -> dict[str, list[str]]:
    """Return the messages of a refusal by field name, "" for those of no field."""
    if isinstance(failure, ValidationError):
        found: dict[str, list[str]] = {}
        for pointer, message in flat_errors(failure.messages):
            found.setdefault(pointer.strip("/").split("/")[0], []).append(message)
        return found
    name = failure.field if isinstance(failure, Refused) and failure.field else ""
    message = gettext(failure.detail or failure.title, **failure.params)
    return {name: [message]}
