"""Pages of agencies for everybody: the directory, and one agency with certificates, people, offers and record."""

from uuid import UUID

from flask import render_template

from app.kernel.timeline import object_entries
from app.web import parsing
from app.web.guard import public
from app.web.session import current_actor
from marketplace.queries import agencies as queries
from marketplace.queries import listings as offers
from marketplace.queries.reviews import shown_ratings
from marketplace.rules.regions import cities
from marketplace.states.agency import AGENCY, AgencyState
from marketplace.web.pages.agencies.words import WORDS, bp
from marketplace.web.schemas.agencies import GROUPS, DirectoryQuery


@bp.get("/agencies")
@public
def directory() -> str:
    """The directory by name, what is in publicity now, or what stands under a measure."""
    asked = parsing.query(DirectoryQuery)
    state = asked["state"]
    page = queries.directory(asked["city"], asked["after"], GROUPS[state])
    return render_template(
        "marketplace/agencies.html",
        page=page,
        city=asked["city"],
        state=state,
        cities=[(c.code, c.name, c.name_en) for c in cities()],
        **WORDS,
    )


@bp.get("/agencies/<uuid:agency_id>")
@public
def profile(agency_id: UUID) -> str:
    """What everybody may know of an agency."""
    actor = current_actor()
    agency = queries.agency_profile(actor, agency_id)
    return render_template(
        "marketplace/agency.html",
        agency=agency,
        shelf=offers.offers(agency_id=agency_id),
        wins=queries.wins(agency.organisation_id),
        ratings=shown_ratings(agency_organisation_id=agency.organisation_id),
        entries=object_entries("agency", agency_id, actor),
        next_step=AGENCY.next_step[AgencyState(agency.state)],
        **WORDS,
    )
