"""The owner's comparison sheet as a form: for every agency and every judged criterion a score and its reason."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from flask_babel import gettext
from marshmallow import ValidationError

from app.kernel.words import N_
from app.web.forms import FormField
from marketplace.queries.selection import ComparisonView

_SCORE: Final = re.compile(r"[0-9]{1,3}")
_LONGEST: Final = 2000


def sheet_of(form: Mapping[str, str], view: ComparisonView) -> dict[str, Any]:
    """The submitted sheet as `ComparisonIn` reads it. Raises ValidationError naming every field that is missing or wrong."""
    rows: list[dict[str, Any]] = []
    wrong: dict[str, list[str]] = {}
    for candidate in view.candidates:
        scores = []
        for index in range(len(view.judged)):
            points_name, reason_name = _names(candidate.registration_id, index)
            points, reason = form.get(points_name, "").strip(), form.get(reason_name, "").strip()
            if _SCORE.fullmatch(points) is None or int(points) > 100:
                wrong[points_name] = [N_("A score is a whole number from 0 to 100.")]
            else:
                scores.append({"points": int(points), "reason": reason})
            if not reason:
                wrong[reason_name] = [N_("Every score needs its reason.")]
            elif len(reason) > _LONGEST:
                wrong[reason_name] = [N_("This is too long.")]
        rows.append({"registration_id": str(candidate.registration_id), "scores": scores})
    if wrong:
        raise ValidationError(wrong)
    version = form.get("version", "")
    return {"rows": rows, "version": int(version) if version.isdigit() else None}


@dataclass(frozen=True)
class SheetForm:
    """The sheet with what was typed (`values`) and what is wrong with it (`errors` by field name, "" for no field)."""

    view: ComparisonView
    values: Mapping[str, str]
    errors: Mapping[str, Sequence[str]]

    def pair(self, registration_id: UUID, index: int) -> tuple[FormField, FormField]:
        """The score and the reason of one agency for the judged criterion of that index."""
        points, reason = _names(registration_id, index)
        return (
            self._field(points, gettext("Points (0 to 100)"), "number"),
            self._field(reason, gettext("Reason"), "textarea"),
        )

    @property
    def fields(self) -> tuple[FormField, ...]:
        """Every field, its label saying whose it is and for which criterion."""
        return tuple(
            replace(each, label=f"{candidate.name} · {criterion.name} · {each.label}")
            for candidate in self.view.candidates
            for index, criterion in enumerate(self.view.judged)
            for each in self.pair(candidate.registration_id, index)
        )

    @property
    def general_errors(self) -> tuple[str, ...]:
        names = {each.name for each in self.fields}
        return tuple(gettext(text) for name, texts in self.errors.items() if name not in names for text in texts)

    def _field(self, name: str, label: str, widget: str) -> FormField:
        return FormField(
            name=name,
            label=label,
            hint="",
            widget=widget,
            value=self.values.get(name, ""),
            errors=tuple(gettext(text) for text in self.errors.get(name, ())),
            required=True,
            choices=(),
            multiple=False,
            attributes={"rows": 2},
        )


def _names(registration_id: UUID, index: int) -> tuple[str, str]:
    return f"points-{registration_id}-{index}", f"reason-{registration_id}-{index}"
