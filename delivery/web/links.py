"""The receiver's link: the public view of one parcel, and what may be wished for with it. The token is the secret."""

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext
from marshmallow import ValidationError
from werkzeug.wrappers import Response as BaseResponse

from app.kernel.access import ANONYMOUS
from app.kernel.errors import DomainError
from app.web import parsing
from app.web.forms import Form, errors_of
from app.web.guard import public
from app.web.schemas import InputSchema
from delivery import links, queries
from delivery.queries import agreements
from delivery.services import addresses, complaints, recipients
from delivery.web.blueprint import pages
from delivery.web.parcels import BEFORE_HANDOVER, step_of
from delivery.web.recipient_schemas import ChangeAddressIn, ChooseDayIn, ChoosePointIn, ComplainIn, PasteIn
from delivery.web.recipients import read_in

FORMS: dict[str, type[InputSchema]] = {
    "day": ChooseDayIn,
    "complaint": ComplainIn,
    "address": ChangeAddressIn,
    "point": ChoosePointIn,
}


@pages.get("/t/<token>")
@public
def receiver(token: str) -> str:
    """Where the parcel is, for whoever holds the link; 404 for a forged, expired or replaced one."""
    return _page(token, links.opened(token).parcel_id)


def _page(token: str, parcel_id: UUID) -> str:
    found = queries.public_track(parcel_id)
    agreed = agreements.agreement_of(parcel_id, ANONYMOUS)
    return render_template(
        "delivery/receiver.html",
        found=found,
        agreed=agreed,
        token=token,
        reports=[step_of(each) for each in found.reports],
        movable=found.state in BEFORE_HANDOVER,
    )


@pages.route("/t/<token>/<any(day, complaint, address, point):wish>", methods=["GET", "POST"])
@public
def wish(token: str, wish: str) -> BaseResponse | str | tuple[str, int]:
    """Choose a day, complain, or send it elsewhere; that only with the pick-up code."""
    parcel_id = links.opened(token).parcel_id
    schema = FORMS[wish]
    if request.method == "GET":
        return _form(token, wish, Form(schema()))
    if "pasted" in request.form:
        return _form(token, wish, Form(schema(), read_in(request.form.get("pasted", ""))))
    raw = parsing.form_values(schema)
    try:
        _do(parcel_id, wish, schema().load(raw))
    except ValidationError as failure:
        return _form(token, wish, Form(schema(), raw, errors_of(failure))), 422
    except DomainError as refusal:
        return _form(token, wish, Form(schema(), raw, errors_of(refusal))), refusal.status
    flash(gettext("Done."), "success")
    return redirect(url_for("delivery.receiver", token=token), 303)


def _form(token: str, wish: str, form: Form) -> str:
    agreed = agreements.agreement_of(links.opened(token).parcel_id, ANONYMOUS) if wish == "day" else None
    return render_template(
        "delivery/wish.html", wish=wish, form=form, token=token, paste=Form(PasteIn()), agreed=agreed
    )


def _do(parcel_id: UUID, wish: str, command: object) -> None:
    match command:
        case recipients.ChooseDay():
            recipients.choose_day(ANONYMOUS, parcel_id, command, by_link=True)
        case complaints.Complain():
            complaints.complain(ANONYMOUS, parcel_id, command, by_link=True)
        case addresses.ChangeAddress():
            addresses.change_by_link(ANONYMOUS, parcel_id, command)
        case addresses.ChoosePoint():
            addresses.choose_point(ANONYMOUS, parcel_id, command, by_link=True)
        case _:
            raise TypeError(wish)
