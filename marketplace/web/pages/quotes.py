"""Pages of sealed quotes: handing in, receipts, opening codes, the opening and its table."""

from pathlib import Path
from typing import Final
from uuid import UUID

from flask import Blueprint, Response, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext
from marshmallow import ValidationError
from werkzeug.wrappers import Response as BaseResponse

from app.identity.queries import organisation_name
from app.kernel import files
from app.kernel.access import Role
from app.kernel.commands import Plain
from app.kernel.errors import DomainError, NotAllowed, NotFound
from app.kernel.words import N_
from app.manifest import NavigationItem
from app.web import parsing
from app.web.forms import Form, errors_of
from app.web.guard import public, requires
from app.web.session import current_actor
from marketplace.documents.quotes import issue_quote_receipt
from marketplace.models.quotes import SealedIn
from marketplace.policy import Permission
from marketplace.queries import procurements, quotes
from marketplace.rules import opening_keys
from marketplace.rules.opening_keys import HOLDER_LABELS
from marketplace.rules.qualifications import GRADE_LABELS, QUALIFICATION_LABELS
from marketplace.services import quotes as services
from marketplace.services import tender_keys
from marketplace.web.schemas.quotes import GiveCodeIn, GiveShareIn, HandInIn, MakeHolderKeyIn, PlainQuoteIn

bp = Blueprint("marketplace_quotes", __name__, template_folder="../../templates")
SCRIPT: Final = Path(__file__).resolve().parents[3] / "docs" / "verify_quotes.py"
NAVIGATION = (
    NavigationItem(
        N_("Opening code"),
        "marketplace_quotes.opening_code",
        "key",
        frozenset({Role.OWNER, Role.REGULATOR}),
        order=60,
    ),
)


# --- the agency -------------------------------------------------------------------------------------------------


@bp.get("/procurements/<uuid:object_id>/quote")
@requires(Permission.REGISTRATION_CREATE)
def quote(object_id: UUID) -> str:
    """Register and quote in one go, replace or withdraw; the price is sealed in this browser."""
    return _quote_page(object_id)


def _quote_page(object_id: UUID, form: Form | None = None) -> str:
    actor = current_actor()
    view = quotes.quoting_view(actor, object_id)
    shown = procurements.procurement_view(actor, object_id)
    eligible = view.is_registered or (shown.own_verdict is not None and shown.own_verdict.is_eligible)
    return render_template(
        "marketplace/quote.html",
        view=view,
        procurement=shown,
        can_quote=view.is_open and eligible,
        form=form or Form(PlainQuoteIn(), {"contribution": "0" * 64}),
        kinds=QUALIFICATION_LABELS,
        grades=GRADE_LABELS,
    )


@bp.post("/procurements/<uuid:object_id>/quote")
@requires(Permission.REGISTRATION_CREATE)
def hand_in(object_id: UUID) -> BaseResponse:
    """Keep what the browser sealed; a price that comes unsealed is sealed here at once, and its receipt says so."""
    actor = current_actor()
    sealed = bool(request.form.get("sealed"))
    schema = HandInIn if sealed else PlainQuoteIn
    try:
        command = schema().load(_sent(schema))
        if not sealed:
            command, _ = services.seal_for_agency(actor, object_id, command)
        services.hand_in(actor, object_id, command)
    except (NotFound, NotAllowed):
        raise
    except (ValidationError, DomainError) as failure:
        form = Form(PlainQuoteIn(), {"contribution": request.form.get("contribution", "")}, errors_of(failure))
        status = 422 if isinstance(failure, ValidationError) else failure.status
        return Response(_quote_page(object_id, form), status=status, mimetype="text/html")
    flash(gettext("Your sealed quote is handed in. Keep the receipt."), "success")
    return redirect(url_for(".quote", object_id=object_id), 303)


def _sent(schema: type[HandInIn] | type[PlainQuoteIn]) -> dict[str, object]:
    """The fields of one of the two ways; the page's one form carries the empty fields of the other."""
    return {name: value for name, value in parsing.form_values(schema).items() if name in schema().fields}


@bp.post("/procurements/<uuid:object_id>/quote/withdraw")
@requires(Permission.REGISTRATION_CREATE)
def withdraw(object_id: UUID) -> BaseResponse:
    """Take the standing quote back."""
    services.withdraw_quote(current_actor(), object_id, Plain())
    flash(gettext("Your quote is withdrawn. You may hand in another one until the deadline."), "success")
    return redirect(url_for(".quote", object_id=object_id), 303)


@bp.get("/quotes/<uuid:object_id>/receipt.json")
@requires(Permission.REGISTRATION_CREATE)
def receipt(object_id: UUID) -> Response:
    """The receipt for programs: commitment, log entry with its proof."""
    view = quotes.own_quote(current_actor(), object_id)
    answer = jsonify(view.to_json())
    answer.headers["Content-Disposition"] = f'attachment; filename="receipt-{view.tender}-{view.number}.json"'
    return answer


@bp.get("/quotes/<uuid:object_id>/receipt.pdf")
@requires(Permission.REGISTRATION_CREATE)
def receipt_paper(object_id: UUID) -> Response:
    """The receipt as a paper with a check code."""
    return files.send(issue_quote_receipt(quotes.own_quote(current_actor(), object_id)))


# --- the opening ------------------------------------------------------------------------------------------------


@bp.get("/procurements/<uuid:object_id>/opening")
@public
def opening(object_id: UUID) -> str:
    """Who holds the key, how many quotes wait, and after the opening every price."""
    return _opening_page(object_id)


def _opening_page(object_id: UUID, form: Form | None = None) -> str:
    views = quotes.opening_views(current_actor(), object_id)
    return render_template(
        "marketplace/opening.html",
        views=views,
        view=views[0] if views else None,
        object_id=object_id,
        form=form or Form(GiveCodeIn(), {}),
        labels=HOLDER_LABELS,
    )


@bp.post("/procurements/<uuid:object_id>/opening")
@requires(Permission.KEY_HOLD, Permission.NOTICE_CHECK)
def give_share(object_id: UUID) -> BaseResponse:
    """Give a share; the second one opens everything."""
    try:
        opened = services.give_share(current_actor(), object_id, parsing.form(GiveShareIn))
    except (NotFound, NotAllowed):
        raise
    except (ValidationError, DomainError) as failure:
        status = 422 if isinstance(failure, ValidationError) else failure.status
        page = _opening_page(object_id, Form(GiveCodeIn(), {}, errors_of(failure)))
        return Response(page, status=status, mimetype="text/html")
    text = gettext("All quotes are open and published.") if opened else gettext("Given. A second holder gives another.")
    flash(text, "success")
    return redirect(url_for(".opening", object_id=object_id), 303)


@bp.get("/procurements/<uuid:object_id>/quotes/<int:round_>.txt")
@public
def table(object_id: UUID, round_: int) -> Response:
    """The opened table of a round, for `verify_quotes.py`."""
    views = (view for view in quotes.opening_views(current_actor(), object_id) if view.round == round_)
    view = next((view for view in views if view.opened_at), None)
    if view is None:
        raise NotFound
    return Response(quotes.table_of(view), mimetype="text/plain")


@bp.get("/verify_quotes.py")
@public
def script() -> Response:
    """The script with which anybody checks an opening; it needs nothing but Python."""
    headers = {"Content-Disposition": 'attachment; filename="verify_quotes.py"'}
    return Response(SCRIPT.read_bytes(), mimetype="text/x-python", headers=headers)


# --- opening codes ----------------------------------------------------------------------------------------------


@bp.get("/opening-code")
@requires(Permission.KEY_HOLD)
def opening_code() -> str:
    """My organisation's opening code: whether it has one, since when, and how to make a new one."""
    return _code_page()


def _code_page(made: str | None = None) -> str:
    actor = current_actor()
    present = quotes.own_code(actor)
    return render_template(
        "marketplace/opening_code.html",
        present=present,
        fingerprint=opening_keys.fingerprint(present.public_key) if present else None,
        made=made,
        organisation=organisation_name(actor.organisation_id) if actor.organisation_id else "",
    )


@bp.post("/opening-code")
@requires(Permission.KEY_HOLD)
def make_code() -> BaseResponse:
    """Put a new code in force: by its public half from the browser, or made here and shown once."""
    actor = current_actor()
    if request.form.get("public_key"):
        tender_keys.make_holder_key(actor, parsing.form(MakeHolderKeyIn))
        flash(gettext("The new opening code is in force."), "success")
        return redirect(url_for(".opening_code"), 303)
    code = opening_keys.new_code()
    tender_keys.make_holder_key(actor, tender_keys.MakeHolderKey(opening_keys.public_key_of(code), SealedIn.SERVER))
    return Response(_code_page(code), status=201, mimetype="text/html")
