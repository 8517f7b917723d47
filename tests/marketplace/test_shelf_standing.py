"""The standing of an offer: review where the rule book asks for it, its last day, the new version of its item, and walks."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st

from app.identity.models import Notice
from app.kernel import clock
from app.kernel.access import Role
from app.kernel.audit import AuditEvent
from app.kernel.commands import Plain, WithReason
from app.kernel.db import db, transaction
from app.kernel.errors import Conflict, NotAllowed, NotFound, Refused
from marketplace.models.listings import Listing
from marketplace.models.rulebook import RuleBookVersion
from marketplace.services import catalogue, listings
from marketplace.states.listing import LISTING, ListingState, PriceMode
from tests.builders import a_member
from tests.marketplace.market import REVIEWED, an_admitted_agency, an_offer, settle, the_items

DAY = datetime(2026, 11, 20, 4, tzinfo=UTC)


def _row(listing_id: UUID) -> Listing:
    db.session.expunge_all()
    return db.session.get_one(Listing, listing_id)


def _offer(item_id: UUID, **changes: object) -> listings.Offer:
    base = listings.Offer(item_id, 5, PriceMode.FIXED, "320100", "含外业。", price_fen=1_200_000)
    return replace(base, **changes)  # type: ignore[arg-type]


def _events() -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(AuditEvent)) or 0


def _review_first() -> None:
    with transaction() as session:
        session.add(
            RuleBookVersion(
                version=2,
                parameters={"listing.review": True},
                basis="测试",
                effective_from=date(2020, 1, 1),
                published_at=clock.now(),
                published_by=None,
            )
        )


def test_with_review_nothing_reaches_the_shelf_without_the_operator(app: Flask) -> None:
    items = the_items()
    actor, _ = an_admitted_agency()
    _review_first()
    listing_id = listings.create(actor, _offer(items["ZJ-020"]))
    with pytest.raises(Conflict) as refusal:
        listings.publish(actor, listing_id, Plain())
    assert (refusal.value.code, _row(listing_id).state) == ("review-first", "draft")
    operator = a_member(Role.OPERATOR)
    listings.submit(actor, listing_id, Plain())
    with pytest.raises(Conflict) as locked:
        listings.change(actor, listing_id, _offer(items["ZJ-020"], promised_limit_wd=6))
    assert (locked.value.code, _row(listing_id).promised_limit_wd) == ("offer-in-review", 5)
    with pytest.raises(NotAllowed):
        listings.approve(actor, listing_id, Plain())
    listings.return_offer(operator, listing_id, WithReason("描述请写明交付物"))
    assert _row(listing_id).state == "returned"
    listings.change(actor, listing_id, _offer(items["ZJ-020"], description="交付勘测定界图。"))
    listings.submit(actor, listing_id, Plain())
    listings.take_back(actor, listing_id, Plain())
    listings.submit(actor, listing_id, Plain())
    listings.approve(operator, listing_id, Plain())
    assert _row(listing_id).state == "published"
    kinds = db.session.scalars(sa.select(Notice.kind).where(Notice.user_id == actor.user_id)).all()
    assert kinds.count("listing.returned") == 1


def test_without_review_there_is_nothing_to_submit_to(app: Flask) -> None:
    items = the_items()
    actor, _ = an_admitted_agency()
    listing_id = listings.create(actor, _offer(items["ZJ-020"]))
    with pytest.raises(Conflict) as refusal:
        listings.submit(actor, listing_id, Plain())
    assert (refusal.value.code, _row(listing_id).state) == ("no-review", "draft")


def test_the_guards_hold_at_the_review_too(app: Flask) -> None:
    items = the_items()
    actor, _ = an_admitted_agency()
    _review_first()
    unqualified = listings.create(actor, _offer(items["ZJ-010"]))
    with pytest.raises(Refused) as refusal:
        listings.submit(actor, unqualified, Plain())
    assert (refusal.value.code, _row(unqualified).state) == ("not-qualified", "draft")


@pytest.mark.parametrize("day", [date(2026, 11, 19), date(2027, 11, 21)])
def test_the_last_day_lies_within_what_the_rule_book_allows(app: Flask, day: date) -> None:
    with clock.at(DAY):
        items = the_items()
        actor, _ = an_admitted_agency()
        before = _events()
        with pytest.raises(Refused) as refusal:
            listings.create(actor, _offer(items["ZJ-020"], expires_on=day))
        assert refusal.value.field == "expires_on"
        db.session.expunge_all()
        assert (db.session.query(Listing).count(), _events()) == (0, before)


def test_an_offer_leaves_the_shelf_after_its_last_day_and_returns_confirmed(app: Flask) -> None:
    with clock.at(DAY):
        items = the_items()
        actor, _ = an_admitted_agency()
    with clock.at(DAY + timedelta(days=20)):
        listing_id = listings.create(actor, _offer(items["ZJ-020"], expires_on=date(2027, 1, 15)))
        listings.publish(actor, listing_id, Plain())
        other = an_offer(actor, items["ZJ-003"], limit=10)
    with clock.at(datetime(2027, 1, 8, 1, tzinfo=UTC)):
        assert listings.remind_of_expiry() == 1  # seven days before
    with clock.at(datetime(2027, 1, 15, 15, 59, 59, tzinfo=UTC)):
        assert listings.expire_due() == 0
    with clock.at(datetime(2027, 1, 15, 16, 0, 0, tzinfo=UTC)):
        assert (listings.expire_due(), listings.expire_due()) == (1, 0)
        assert (_row(listing_id).state, _row(other).state) == ("expired", "published")
        told = db.session.scalars(sa.select(Notice.kind).where(Notice.user_id == actor.user_id)).all()
        assert [told.count(k) for k in ("listing.expiring", "listing.expired")] == [1, 1]
        listings.publish(actor, listing_id, Plain())
        assert (_row(listing_id).state, _row(listing_id).expires_on) == ("published", date(2028, 1, 16))


def test_a_superseded_offer_returns_only_with_terms_that_the_new_version_allows(app: Flask) -> None:
    items = the_items()
    actor, _ = an_admitted_agency()
    slow = an_offer(actor, items["ZJ-020"], limit=10)
    content = replace(dict(catalogue.shipped_items())["ZJ-020"], limit_wd=8)
    version = catalogue.draft_version(a_member(Role.OPERATOR), items["ZJ-020"], content)
    catalogue.submit(a_member(Role.OPERATOR), version, Plain())
    catalogue.publish(a_member(Role.REGULATOR), version, REVIEWED)
    settle()
    assert _row(slow).state == "superseded"
    with pytest.raises(Refused) as refusal:
        listings.publish(actor, slow, Plain())
    assert (refusal.value.code, _row(slow).state) == ("limit-too-long", "superseded")
    listings.change(actor, slow, _offer(items["ZJ-020"], promised_limit_wd=8))
    listings.publish(actor, slow, Plain())
    assert (_row(slow).state, _row(slow).suspension_cause, _row(slow).item_version_id) == ("published", None, version)


def test_strangers_find_no_offer_that_is_not_shown(app: Flask) -> None:
    items = the_items()
    actor, _ = an_admitted_agency()
    other, _ = an_admitted_agency("淮信测绘有限公司")
    _review_first()
    listing_id = listings.create(actor, _offer(items["ZJ-020"]))
    listings.submit(actor, listing_id, Plain())
    with pytest.raises(NotFound):
        listings.take_back(other, listing_id, Plain())
    assert _row(listing_id).state == "review"


@settings(deadline=None)
@given(st.lists(st.sampled_from(LISTING.actions), max_size=40))
def test_walks_show_only_what_was_put_on_the_shelf(steps: list[str]) -> None:
    state: str = LISTING.initial
    shown = False
    for step in steps:
        edge = LISTING.edge(step, state)
        if edge is None:
            continue
        if edge.target == ListingState.PUBLISHED:
            assert step in {"publish", "approve", "restore"}
            assert step != "restore" or shown  # only what stood on the shelf is shown again
            shown = True
        if edge.event is not None and edge.target != ListingState.PUBLISHED:
            assert state in {ListingState.PUBLISHED, ListingState.SUSPENDED}
        state = edge.target
    assert LISTING.terminal == frozenset()  # an agency can always renew or drop an offer
