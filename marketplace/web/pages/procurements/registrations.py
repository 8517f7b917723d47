"""The agency's side: opportunities, registering, its registrations."""

from uuid import UUID

from flask import render_template

from app.web import parsing
from app.web.forms import Form
from app.web.guard import requires, signed_in
from app.web.session import current_actor
from marketplace.policy import Permission
from marketplace.queries import procurements
from marketplace.states.registration import REGISTRATION, RegistrationState
from marketplace.web.pages.procurements.words import WORDS, bp
from marketplace.web.procurement_actions import may_register, registration_actions
from marketplace.web.schemas.procurements import MineQuery, RegisterIn


@bp.get("/opportunities")
@requires(Permission.REGISTRATION_CREATE)
def opportunities() -> str:
    """Open notices whose every condition my agency meets today."""
    actor = current_actor()
    rows = procurements.opportunities(actor.organisation_id) if actor.organisation_id else ()
    return render_template("marketplace/opportunities.html", rows=rows, **WORDS)


@bp.get("/registrations")
@requires(Permission.REGISTRATION_CREATE)
def my_registrations() -> str:
    """My agency's registrations with their state and the reasons."""
    page = procurements.registrations_of(current_actor(), number=parsing.query(MineQuery)["page"])
    return render_template("marketplace/my_registrations.html", page=page, **WORDS)


@bp.get("/registrations/<uuid:object_id>")
@signed_in
def registration(object_id: UUID) -> str:
    """One registration: state, reasons at registration and at the deadline, contribution."""
    view = procurements.registration_view(current_actor(), object_id)
    return render_template(
        "marketplace/registration.html",
        registration=view,
        actions=registration_actions(view),
        next_step=REGISTRATION.next_step.get(RegistrationState(view.state)),
        **WORDS,
    )


@bp.get("/procurements/<uuid:object_id>/actions/register")
@requires(Permission.REGISTRATION_CREATE)
def register_page(object_id: UUID) -> str:
    """Before registering: every test with its reason, and the contribution to the draw."""
    view = procurements.procurement_view(current_actor(), object_id)
    form = Form(RegisterIn(), {"version": view.version, "contribution": "0" * 64})
    return render_template(
        "marketplace/register.html", procurement=view, form=form, can_register=may_register(view), **WORDS
    )
