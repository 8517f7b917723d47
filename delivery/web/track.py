"""The public question: where is a parcel?"""

from flask import render_template, request
from marshmallow import ValidationError

from app.kernel.errors import DomainError, TooManyRequests
from app.web import parsing
from app.web.forms import Form, errors_of
from app.web.guard import public
from delivery import queries
from delivery.services import lookup
from delivery.web.blueprint import pages
from delivery.web.parcels import step_of
from delivery.web.schemas import TrackIn


@pages.route("/track", methods=["GET", "POST"])
@public
def track() -> str | tuple[str, int]:
    """Where a parcel is, for whoever has the number and its secret half. The secret never stands in an address."""
    if request.method == "GET":
        return render_template(
            "delivery/track.html", form=Form(TrackIn(), {"number": request.args.get("number", "")[:60]}), found=None
        )
    try:
        parcel_id = lookup.track(parsing.form(TrackIn))
    except ValidationError as failure:
        return _ask_again(errors_of(failure), 422)
    except TooManyRequests as refusal:
        return _ask_again(errors_of(refusal), 429)
    except DomainError as refusal:
        return _ask_again(errors_of(refusal), refusal.status)
    found = queries.public_track(parcel_id)
    return render_template(
        "delivery/track.html", form=None, found=found, reports=[step_of(each) for each in found.reports]
    )


def _ask_again(errors: dict[str, list[str]], status: int) -> tuple[str, int]:
    values = {"number": request.form.get("number", "")[:60]}
    return render_template("delivery/track.html", form=Form(TrackIn(), values, errors), found=None), status
