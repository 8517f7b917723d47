"""Deliveries in numbers."""

from datetime import date, timedelta
from typing import Any, Final

from flask import Response, render_template
from flask_babel import gettext
from marshmallow import ValidationError, fields, post_load

from app.kernel import clock
from app.kernel.words import N_
from app.web import parsing
from app.web.forms import Form
from app.web.guard import requires
from app.web.schemas import InputSchema
from app.web.session import current_actor
from app.web.spreadsheets import csv_answer
from delivery import policy
from delivery.queries.statistics import DeliveryStatistics, Share, delivery_statistics
from delivery.web.blueprint import pages

PAGE: Final = "/delivery/statistics"
LONGEST_DAYS: Final = 366
USUAL_DAYS: Final = 30
COLUMNS: Final = (
    N_("Grouped by"), N_("Name"), N_("Handed over"), N_("Delivered"), N_("Within the statutory day"), N_("Came back"), N_("Lost"),
)  # fmt: skip


class SpanQuery(InputSchema):
    """From which day to which."""

    first = fields.Date(load_default=None, allow_none=True, metadata={"label": N_("From day"), "widget": "date"})
    last = fields.Date(load_default=None, allow_none=True, metadata={"label": N_("To day"), "widget": "date"})

    @post_load
    def _build(self, data: Any, **_: Any) -> tuple[date, date]:
        last = data["last"] or clock.today()
        first = data["first"] or last - timedelta(days=USUAL_DAYS - 1)
        if first > last or (last - first).days >= LONGEST_DAYS:
            raise ValidationError({"first": [N_("At most a year, and the first day before the last.")]})
        return first, last


@pages.get(PAGE)
@requires(policy.READ)
def statistics() -> str:
    """By day, hall, department and item."""
    first, last = parsing.query(SpanQuery)
    form = Form(SpanQuery(), {"first": first, "last": last})
    return render_template("delivery/statistics.html", s=delivery_statistics(current_actor(), first, last), form=form)


@pages.get(f"{PAGE}.csv")
@requires(policy.READ)
def statistics_csv() -> Response:
    """The same numbers as a table."""
    found = delivery_statistics(current_actor(), *parsing.query(SpanQuery))
    return csv_answer(f"delivery-{found.first}-{found.last}.csv", COLUMNS, _lines(found))


def _lines(found: DeliveryStatistics) -> list[list[str]]:
    groups = ((N_("Hall"), found.halls), (N_("Department"), found.departments), (N_("Approval item"), found.items))
    rows = [_line(gettext(label), share) for label, shares in groups for share in shares]
    return [*rows, *([gettext("Day"), day.isoformat(), str(count), "", "", "", ""] for day, count in found.days)]


def _line(group: str, share: Share) -> list[str]:
    numbers = (share.handed_over, share.delivered, share.on_time, share.returned, share.lost)
    return [group, share.name, *(str(each) for each in numbers)]
