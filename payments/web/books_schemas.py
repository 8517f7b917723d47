"""What comes in about the books: filters, explanations of mismatches, and the close of a day."""

from marshmallow import fields, validate

from app.kernel.words import N_
from app.web.schemas import REQUIRED, InputSchema, MoneyField, text, version_field
from payments.services.reconciliation import Explain, ReopenDay, SignDay
from payments.states import DAY_CLOSE, MISMATCH, MISMATCH_LABELS, DayState, MismatchKind, MismatchState
from payments.web.schemas import LARGEST_PAGE

_CHOICE = N_("Must be one of the choices.")


def _page() -> fields.Integer:
    return fields.Integer(
        load_default=1, validate=validate.Range(min=1, max=LARGEST_PAGE), metadata={"widget": "hidden"}
    )


def _day(label: str) -> fields.Date:
    return fields.Date(load_default=None, allow_none=True, metadata={"label": label})


class OverviewQuery(InputSchema):
    """The books as of the end of a day, and the chart of accounts by family."""

    day = _day(N_("As of the end of"))
    family = fields.String(
        load_default=None, allow_none=True, validate=validate.Length(max=40), metadata={"widget": "hidden"}
    )
    page = _page()


class SpanQuery(InputSchema):
    """A span of days, both included."""

    since = _day(N_("From day"))
    until = _day(N_("To day"))
    page = _page()


UNFINISHED = "unfinished"


class MismatchQuery(InputSchema):
    """Mismatches by kind and state; those that still need somebody where nothing is chosen."""

    kind = fields.String(
        load_default=None, allow_none=True,
        validate=validate.OneOf([str(k) for k in MismatchKind], error=_CHOICE),
        metadata={"label": N_("Kind"), "widget": "select", "choices": [(str(k), MISMATCH_LABELS[k]) for k in MismatchKind]},
    )  # fmt: skip
    state = fields.String(
        load_default=None, allow_none=True,
        validate=validate.OneOf([UNFINISHED, *(str(s) for s in MismatchState)], error=_CHOICE),
        metadata={"label": N_("State"), "widget": "select",
                  "choices": [(UNFINISHED, N_("Still needs somebody")),
                              *((str(s), MISMATCH.labels[s]) for s in MismatchState)]},
    )  # fmt: skip
    page = _page()


class DayQuery(InputSchema):
    """Days by state."""

    state = fields.String(
        load_default=None, allow_none=True,
        validate=validate.OneOf([str(s) for s in DayState], error=_CHOICE),
        metadata={"label": N_("State"), "widget": "select", "choices": [(str(s), DAY_CLOSE.labels[s]) for s in DayState]},
    )  # fmt: skip
    page = _page()


class ExplainIn(InputSchema):
    """Why a mismatch stands as it does."""

    command = Explain
    reason = text(
        N_("Explanation"), longest=2000, widget="textarea", hint=N_("Auditors read it: name what you found and where.")
    )
    version = version_field()


class SignDayIn(InputSchema):
    """Sign the figures of a day, with what the bank's statement says."""

    command = SignDay
    bank_in = MoneyField(
        required=True, error_messages=REQUIRED, validate=validate.Range(min=0, error=N_("This number is too small.")),
        metadata={"label": N_("Came in by the bank's statement of the day")},
    )  # fmt: skip
    bank_out = MoneyField(
        required=True, error_messages=REQUIRED, validate=validate.Range(min=0, error=N_("This number is too small.")),
        metadata={"label": N_("Went out by the bank's statement of the day")},
    )  # fmt: skip
    reason = text(
        N_("Reason"), required=False, longest=2000, widget="textarea",
        hint=N_("Needed where the sides differ or mismatches are not explained."),
    )  # fmt: skip
    version = version_field()


class ReopenDayIn(InputSchema):
    """Why a day is taken back."""

    command = ReopenDay
    reason = text(N_("Reason"), longest=2000, widget="textarea")
    version = version_field()
