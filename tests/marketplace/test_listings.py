"""The shelf: guards, ownership, and what follows from certificates, items and standing."""

from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.kernel import clock
from app.kernel.access import Actor, Role
from app.kernel.db import db
from app.kernel.errors import Conflict, IllegalTransition, NotAllowed, NotFound, Outdated, Refused
from app.web.schemas import Plain, WithReason
from marketplace.models.listings import Listing
from marketplace.rules.offers import ItemTerms, OfferTerms, objections
from marketplace.rules.qualifications import meets
from marketplace.services import agencies, catalogue, listings
from marketplace.states.listing import PriceMode
from tests.builders import a_member
from tests.marketplace.market import (
    REVIEWED,
    a_complete_file,
    a_paper,
    an_admitted_agency,
    an_agency_member,
    an_offer,
    settle,
    the_items,
)


def _offer(item_id: UUID, **changes: object) -> listings.Offer:
    values: dict[str, object] = {
        "item_id": item_id,
        "promised_limit_wd": 5,
        "price_mode": PriceMode.FIXED,
        "region_code": "320100",
        "description": "含外业。",
        "price_fen": 1_200_000,
    }
    return listings.Offer(**(values | changes))  # type: ignore[arg-type]


def _state(listing_id: UUID) -> tuple[str, str | None]:
    listing = db.session.get(Listing, listing_id, populate_existing=True)
    assert listing is not None
    return listing.state, listing.suspension_cause


def test_an_offer_goes_on_the_shelf_and_off_again(app: Flask) -> None:
    items = the_items()
    actor, _ = an_admitted_agency()
    listing_id = an_offer(actor, items["ZJ-020"])
    assert _state(listing_id) == ("published", None)
    listings.take_off(actor, listing_id, Plain())
    assert _state(listing_id) == ("off_shelf", None)
    with pytest.raises(IllegalTransition):
        listings.take_off(actor, listing_id, Plain())
    listings.publish(actor, listing_id, Plain())
    assert _state(listing_id) == ("published", None)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"promised_limit_wd": 11}, "promised_limit_wd"),
        ({"promised_limit_wd": 0}, "promised_limit_wd"),
        ({"price_fen": None}, "price"),
        ({"price_fen": 0}, "price"),
        ({"price_mode": PriceMode.NEGOTIABLE}, "price"),
        ({"price_mode": "nonsense"}, "price_mode"),
        ({"region_code": "110000"}, "region_code"),
        ({"item_id": UUID(int=1)}, "item_id"),
    ],
)
def test_wrong_offers_are_refused_at_their_field(app: Flask, changes: dict[str, object], field: str) -> None:
    items = the_items()
    actor, _ = an_admitted_agency()
    with pytest.raises(Refused) as refusal:
        listings.create(actor, _offer(**({"item_id": items["ZJ-020"]} | changes)))
    assert refusal.value.field == field
    assert db.session.query(Listing).count() == 0


def test_the_limit_of_the_item_itself_is_allowed(app: Flask) -> None:
    items = the_items()
    actor, _ = an_admitted_agency()
    listing_id = an_offer(actor, items["ZJ-020"], limit=10)
    assert _state(listing_id)[0] == "published"


def test_without_the_certificate_it_stays_a_draft(app: Flask) -> None:
    items = the_items()
    actor, _ = an_admitted_agency()
    listing_id = listings.create(actor, _offer(items["ZJ-010"]))
    with pytest.raises(Refused) as refusal:
        listings.publish(actor, listing_id, Plain())
    assert refusal.value.code == "not-qualified"
    assert _state(listing_id)[0] == "draft"


def test_an_agency_that_is_not_admitted_cannot_publish(app: Flask) -> None:
    items = the_items()
    actor = an_agency_member()
    a_complete_file(actor)
    listing_id = listings.create(actor, _offer(items["ZJ-003"], promised_limit_wd=10))
    with pytest.raises(Refused) as refusal:
        listings.publish(actor, listing_id, Plain())
    assert refusal.value.code == "agency-not-active"


def test_a_guided_price_has_bounds(app: Flask) -> None:
    items = the_items()
    actor, _ = an_admitted_agency(certificates=(("planning", "A"),))
    with pytest.raises(Refused) as refusal:
        an_offer(actor, items["ZJ-024"], price_fen=3_000_001)
    assert (refusal.value.code, refusal.value.params) == ("price-outside-range", {"low": "1500.00", "high": "30000.00"})
    assert _state(an_offer(actor, items["ZJ-024"], price_fen=3_000_000))[0] == "published"
    with pytest.raises(Refused) as missing:
        an_offer(actor, items["ZJ-024"], price_fen=None)
    assert missing.value.code == "price-missing"


def test_others_do_not_touch_it(app: Flask) -> None:
    items = the_items()
    actor, _ = an_admitted_agency()
    listing_id = an_offer(actor, items["ZJ-020"])
    other, _ = an_admitted_agency("淮信测绘有限公司")
    for attempt in (
        lambda: listings.take_off(other, listing_id, Plain()),
        lambda: listings.change(other, listing_id, _offer(items["ZJ-020"])),
    ):
        with pytest.raises(NotFound):
            attempt()
    with pytest.raises(NotAllowed):
        listings.create(a_member(Role.OWNER), _offer(items["ZJ-020"]))
    assert _state(listing_id) == ("published", None)


def test_a_stale_page_changes_nothing(app: Flask) -> None:
    items = the_items()
    actor, _ = an_admitted_agency()
    listing_id = an_offer(actor, items["ZJ-020"])
    listings.change(actor, listing_id, _offer(items["ZJ-020"], promised_limit_wd=6))
    with pytest.raises(Outdated):
        listings.change(actor, listing_id, _offer(items["ZJ-020"], promised_limit_wd=7, version=1))
    listing = db.session.get(Listing, listing_id, populate_existing=True)
    assert listing is not None
    assert listing.promised_limit_wd == 6


def _expire(actor: Actor, agency_id: UUID) -> None:
    with clock.at(datetime(2030, 7, 1, 0, tzinfo=UTC)):
        agencies.expire_due()
    settle()


def test_an_expired_certificate_suspends_its_offers_only_and_a_new_one_restores_them(app: Flask) -> None:
    items = the_items()
    actor, agency_id = an_admitted_agency()
    measured = an_offer(actor, items["ZJ-020"])
    free = an_offer(actor, items["ZJ-003"], limit=10)
    _expire(actor, agency_id)
    assert _state(measured) == ("suspended", "not-qualified")
    assert _state(free) == ("published", None)
    renewed = agencies.add_qualification(
        actor,
        agency_id,
        agencies.AddQualification("mapping", "new", grade="A", expires_on=date(2035, 1, 1), file=a_paper()),
    )
    settle()
    assert _state(measured)[0] == "suspended"
    agencies.accept_qualification(a_member(Role.OPERATOR), renewed, Plain())
    settle()
    assert _state(measured) == ("published", None)


def test_a_suspended_agency_takes_its_offers_along(app: Flask) -> None:
    items = the_items()
    actor, agency_id = an_admitted_agency()
    listing_id = an_offer(actor, items["ZJ-020"])
    operator = a_member(Role.OPERATOR)
    agencies.suspend(operator, agency_id, agencies.Measure("核查"))
    settle()
    assert _state(listing_id) == ("suspended", "agency-not-active")
    agencies.restore(operator, agency_id, WithReason("核查完毕"))
    settle()
    assert _state(listing_id) == ("published", None)


def test_what_the_operator_suspends_only_the_operator_restores(app: Flask) -> None:
    items = the_items()
    actor, agency_id = an_admitted_agency()
    listing_id = an_offer(actor, items["ZJ-020"])
    operator = a_member(Role.OPERATOR)
    listings.suspend(operator, listing_id, WithReason("描述不实"))
    agencies.suspend(operator, agency_id, agencies.Measure("核查"))
    agencies.restore(operator, agency_id, WithReason("完毕"))
    settle()
    assert _state(listing_id) == ("suspended", None)
    with pytest.raises(NotAllowed):
        listings.restore(actor, listing_id, Plain())
    with pytest.raises(Conflict):
        listings.change(actor, listing_id, _offer(items["ZJ-020"]))
    listings.restore(operator, listing_id, Plain())
    assert _state(listing_id) == ("published", None)


def test_a_tighter_version_moves_the_offers_it_allows_and_supersedes_the_others(app: Flask) -> None:
    from dataclasses import replace

    items = the_items()
    actor, _ = an_admitted_agency()
    quick, slow = an_offer(actor, items["ZJ-020"], limit=5), an_offer(actor, items["ZJ-020"], limit=10)
    operator = a_member(Role.OPERATOR)
    content = replace(dict(catalogue.shipped_items())["ZJ-020"], limit_wd=8)
    version_id = catalogue.draft_version(operator, items["ZJ-020"], content)
    catalogue.submit(operator, version_id, Plain())
    catalogue.publish(a_member(Role.REGULATOR), version_id, REVIEWED)
    settle()
    assert _state(quick) == ("published", None)
    assert _state(slow) == ("superseded", "limit-too-long")
    moved = db.session.get(Listing, quick)
    assert moved is not None
    assert moved.item_version_id == version_id


def test_the_guards_tell_everything_that_is_wrong() -> None:
    item = ItemTerms(is_in_force=False, limit_wd=10, pricing_mode="guided", guided_min_fen=100, guided_max_fen=200)
    found = objections(
        OfferTerms(11, 201), item, meets({"kind": "cma"}, (), date(2026, 11, 20)), agency_is_active=False
    )
    assert [o.code for o in found] == [
        "agency-not-active",
        "item-not-in-force",
        "not-qualified",
        "limit-too-long",
        "price-outside-range",
    ]


def test_a_draft_is_not_found_by_others(app: Flask, client: FlaskClient, as_role: object) -> None:
    items = the_items()
    actor, agency_id = an_admitted_agency()
    listing_id = listings.create(actor, _offer(items["ZJ-020"]))
    assert client.get(f"/listings/{listing_id}").status_code == 404
    assert client.get(f"/api/listings/{listing_id}").status_code == 404
    listings.publish(actor, listing_id, Plain())
    page = client.get(f"/listings/{listing_id}")
    assert page.status_code == 200
    assert "12,000.00" in page.text
    one = client.get(f"/api/listings/{listing_id}").get_json()
    assert (one["price_fen"], one["promised_limit_wd"], one["agency"]["id"]) == (1_200_000, 5, str(agency_id))
