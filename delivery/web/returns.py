"""The returns desk."""

from typing import Final

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext
from marshmallow import ValidationError
from werkzeug.wrappers import Response as BaseResponse

from app.kernel.errors import DomainError, NotAllowed
from app.kernel.paging import page_of
from app.web import parsing
from app.web.guard import requires
from app.web.session import current_actor
from delivery import policy, queries
from delivery.queries.returns import CAUSES, return_views, returns_statement
from delivery.services.returns import receive_return
from delivery.web.blueprint import pages
from delivery.web.desk_schemas import ReturnIn, ReturnQuery
from delivery.web.scanning import flash_refusal, scanned_code, suggestions

DESK: Final = "/delivery/returns"


@pages.get(DESK)
@requires(policy.WORK)
def returns() -> str:
    """What came back: scan it in, then decide one by one."""
    asked = parsing.query(ReturnQuery)
    statement = returns_statement(current_actor(), ended=asked["ended"])
    page = page_of(statement, number=asked["page"], scalars=False)
    return render_template(
        "delivery/returns.html", page=page, returns=return_views(page.items), ended=asked["ended"], causes=CAUSES,
        near=suggestions(),
    )  # fmt: skip


@pages.post(DESK)
@requires(policy.WORK)
def receive() -> BaseResponse:
    """Scan one in and stay at the desk, whatever comes of it."""
    actor = current_actor()
    near = None
    try:
        command = ReturnIn().load({**request.form.to_dict(), "code": scanned_code()})
        parcel_id = receive_return(actor, command)
        flash(
            gettext(
                "%(number)s is back: decide what happens to it.", number=queries.parcel_view(parcel_id, actor).number
            ),
            "success",
        )
    except ValidationError:
        flash(gettext("Scan a code first, or type it."), "danger")
    except NotAllowed:
        raise
    except DomainError as refusal:
        near = flash_refusal(refusal)
    return redirect(url_for("delivery.returns", near=near), 303)
