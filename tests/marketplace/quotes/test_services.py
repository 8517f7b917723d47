"""Handing in, replacing, withdrawing and opening sealed quotes: what is taken, what is refused, and that nothing else changes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.exc import DBAPIError

from app.kernel import clock, files
from app.kernel.access import Role
from app.kernel.commands import Plain
from app.kernel.db import db, transaction
from app.kernel.errors import Conflict, NotAllowed, NotFound, Refused
from marketplace.jobs import procurements as selection_jobs
from marketplace.jobs import quotes as jobs
from marketplace.models.procurements import Registration
from marketplace.models.quotes import Quote, QuoteOpening, QuoteResult, SealedPlan, ShareEntry, TenderKey, TenderShare
from marketplace.queries.quotes import (
    number_of_quotes,
    opened_quotes,
    opening_due,
    opening_views,
    own_quote,
    quoting_view,
)
from marketplace.rules import opening_keys, sealed_quotes
from marketplace.rules.selection.terms import Criterion, MethodTerms
from marketplace.services import procurements, quotes, registrations, tender_keys
from tests.builders import a_member
from tests.marketplace.procurement_builders import DEADLINE, a_story, notices_of
from tests.marketplace.quotes.builders import (
    ONE_MS,
    a_bidding,
    an_opening_code,
    another_person,
    opened,
    quoted,
    sealed_for,
    waiting,
)

pytestmark = pytest.mark.postgresql
Clock = Callable[[Any], None]


def prices(bidding: Any) -> dict[str, int]:
    return {quote.uscc: quote.price_fen for quote in opened_quotes(bidding.id)}


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises((Conflict, Refused)) as caught:
        call()
    return str(caught.value.code)


def test_publication_makes_one_key_a_round_and_keeps_no_whole_one(app: Flask, clock_at: Clock) -> None:
    bidding = a_bidding(clock_at)
    key = db.session.query(TenderKey).one()
    shares = {row.holder: row for row in db.session.query(TenderShare)}
    assert key.code == f"{bidding.story.procurement.number}-B1"
    assert set(shares) == {"owner", "supervision", "platform"}
    given = {
        holder: opening_keys.unseal_share(bidding.codes[holder], key.code, holder, shares[holder].sealed)
        for holder in ("owner", "supervision")
    }
    private = opening_keys.join(key.public_key, tuple(given.values()))
    assert private.hex() not in str([row.sealed.hex() for row in shares.values()])


@pytest.mark.parametrize(
    ("missing", "code"), [("owner", "opening-code-missing"), ("second", "supervision-code-missing")]
)
def test_a_notice_with_quotes_needs_both_codes(app: Flask, clock_at: Clock, missing: str, code: str) -> None:
    story = a_story(clock_at, method="bid_low", ceiling_fen=190_000_00)
    an_opening_code(story.second if missing == "owner" else story.owner)
    assert refusal(lambda: procurements.submit_notice(story.owner, story.id, Plain())) == code
    assert (story.state, db.session.query(TenderKey).count()) == ("draft", 0)


def test_quote_registers_replaces_withdraws_and_the_last_one_counts(app: Flask, clock_at: Clock) -> None:
    bidding = a_bidding(clock_at)
    first, second, third = bidding.story.agencies
    for agency, price in ((first, "100.00"), (second, "150.00"), (third, "130.00"), (first, "120.00")):
        quotes.hand_in(agency.actor, bidding.id, sealed_for(bidding, agency, price))
    quotes.withdraw_quote(second.actor, bidding.id, Plain())
    assert number_of_quotes(bidding.key.id) == 2
    assert db.session.query(Registration).filter_by(state="registered").count() == 3
    assert refusal(lambda: quotes.withdraw_quote(second.actor, bidding.id, Plain())) == "no-quote"
    opened(waiting(bidding))
    assert prices(bidding) == {first.uscc: 120_00, third.uscc: 130_00}
    assert db.session.query(Quote).count() == 5


def test_a_quote_goes_with_its_registration(app: Flask, clock_at: Clock) -> None:
    bidding = quoted(a_bidding(clock_at), "100.00", "110.00")
    first = bidding.story.agencies[0]
    row = bidding.story.registration(first)
    registrations.withdraw_registration(first.actor, row.id, Plain())
    assert number_of_quotes(bidding.key.id) == 1
    clock_at(clock.now() + timedelta(seconds=5))
    from marketplace.services.commands import Register

    registrations.register(first.actor, bidding.id, Register())
    assert number_of_quotes(bidding.key.id) == 1  # who registers again quotes again


def test_the_same_sending_twice_is_one_quote(app: Flask, clock_at: Clock) -> None:
    bidding = a_bidding(clock_at)
    agency = bidding.story.agencies[0]
    sent = sealed_for(bidding, agency, "100.00")
    assert quotes.hand_in(agency.actor, bidding.id, sent) == quotes.hand_in(agency.actor, bidding.id, sent)
    assert db.session.query(Quote).count() == 1


def test_replays_are_refused(app: Flask, clock_at: Clock) -> None:
    bidding = a_bidding(clock_at)
    first, second, _ = bidding.story.agencies
    old = sealed_for(bidding, first, "100.00")
    quotes.hand_in(first.actor, bidding.id, old)
    quotes.hand_in(first.actor, bidding.id, sealed_for(bidding, first, "90.00"))
    assert refusal(lambda: quotes.hand_in(first.actor, bidding.id, old)) == "quote-repeated"
    assert refusal(lambda: quotes.hand_in(second.actor, bidding.id, old)) == "quote-repeated"
    quotes.withdraw_quote(first.actor, bidding.id, Plain())
    assert refusal(lambda: quotes.hand_in(first.actor, bidding.id, old)) == "quote-repeated"
    assert number_of_quotes(bidding.key.id) == 0


@pytest.mark.parametrize(
    ("late", "taken"), [(-ONE_MS, True), (0 * ONE_MS, True), (ONE_MS, False), (timedelta(seconds=1), False)]
)
def test_the_deadline_to_the_millisecond(app: Flask, clock_at: Clock, late: timedelta, taken: bool) -> None:
    bidding = quoted(a_bidding(clock_at), "100.00")
    first, second, _ = bidding.story.agencies
    clock_at(DEADLINE + late)
    calls = (
        lambda: quotes.hand_in(second.actor, bidding.id, sealed_for(bidding, second, "90.00")),
        lambda: quotes.hand_in(first.actor, bidding.id, sealed_for(bidding, first, "80.00")),
        lambda: quotes.withdraw_quote(first.actor, bidding.id, Plain()),
    )
    if taken:
        for call in calls:
            call()
    else:
        assert [refusal(call) for call in calls] == ["registration-ended", "quotes-ended", "quotes-ended"]
    assert db.session.query(Quote).count() == (4 if taken else 1)


def test_the_database_refuses_a_late_row_and_any_change(app: Flask, clock_at: Clock) -> None:
    bidding = quoted(a_bidding(clock_at), "100.00")
    row = db.session.query(Quote).one()
    for statement in (
        "UPDATE quote SET commitment = commitment",
        "DELETE FROM quote",
        "UPDATE tender_share SET holder = holder",
        "DELETE FROM tender_key",
    ):
        with pytest.raises(DBAPIError), transaction() as session:
            session.connection().exec_driver_sql(statement)
        db.session.rollback()
    with pytest.raises(DBAPIError), transaction() as session:
        late = {column.key: getattr(row, column.key) for column in Quote.__table__.columns}
        late |= {"id": bidding.id, "number": 2, "commitment": "a" * 64, "received_at": DEADLINE + ONE_MS}
        session.add(Quote(**late))
        session.flush()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"commitment": "A" * 64}, "bad-commitment"),
        ({"commitment": ""}, "bad-commitment"),
        ({"sealed": b"x" * 10}, "bad-sealed-quote"),
        ({"plan": b"x" * 100}, "plan-missing"),
    ],
)
def test_what_is_no_sealed_quote(app: Flask, clock_at: Clock, change: dict[str, Any], code: str) -> None:
    from dataclasses import replace

    bidding = a_bidding(clock_at)
    agency = bidding.story.agencies[0]
    sent = replace(sealed_for(bidding, agency, "100.00"), **change)
    assert refusal(lambda: quotes.hand_in(agency.actor, bidding.id, sent)) == code
    assert (db.session.query(Quote).count(), db.session.query(Registration).count()) == (0, 0)


@pytest.mark.parametrize("role", [Role.OWNER, Role.OPERATOR, Role.REGULATOR, Role.PRACTITIONER])
def test_only_agencies_quote(app: Flask, clock_at: Clock, role: Role) -> None:
    bidding = a_bidding(clock_at)
    sent = sealed_for(bidding, bidding.story.agencies[0], "100.00")
    with pytest.raises((NotAllowed, NotFound)):
        quotes.hand_in(a_member(role), bidding.id, sent)
    assert db.session.query(Quote).count() == 0


@pytest.mark.parametrize(
    ("fen", "code"), [(0, "quote-not-positive"), (-1, "quote-not-positive"), (190_000_01, "quote-above-ceiling")]
)
def test_the_server_seals_no_price_that_could_not_count(app: Flask, clock_at: Clock, fen: int, code: str) -> None:
    bidding = a_bidding(clock_at)
    agency = bidding.story.agencies[0]
    assert refusal(lambda: quotes.seal_for_agency(agency.actor, bidding.id, quotes.PlainQuote(fen))) == code


def test_sealed_by_the_server_says_so(app: Flask, clock_at: Clock) -> None:
    bidding = a_bidding(clock_at)
    agency = bidding.story.agencies[0]
    sent, nonce = quotes.seal_for_agency(agency.actor, bidding.id, quotes.PlainQuote(123_45))
    made = quotes.hand_in(agency.actor, bidding.id, sent)
    assert own_quote(agency.actor, made).sealed_in == "server"
    assert sent.commitment == sealed_quotes.commitment(bidding.key.code, agency.uscc, "123.45", nonce)
    opened(waiting(bidding))
    assert prices(bidding) == {agency.uscc: 123_45}


def test_invalid_quotes_are_published_as_invalid(app: Flask, clock_at: Clock) -> None:
    from dataclasses import replace

    bidding = a_bidding(clock_at, agencies=6)
    a, b, c, d, e, f = bidding.story.agencies
    good = sealed_for(bidding, a, "100.00")
    quotes.hand_in(a.actor, bidding.id, good)
    quotes.hand_in(b.actor, bidding.id, sealed_for(bidding, b, "0.00"))
    quotes.hand_in(c.actor, bidding.id, sealed_for(bidding, c, "190000.01"))
    wrong = sealed_for(bidding, d, "100.00")
    quotes.hand_in(d.actor, bidding.id, replace(wrong, commitment="ab" * 32))
    copied = replace(sealed_for(bidding, e, "100.00"), sealed=good.sealed)  # another bidder's ciphertext
    quotes.hand_in(e.actor, bidding.id, copied)
    key = bidding.key
    foreign = sealed_quotes.seal(key.public_key, "CG-2026-999999-B1", f.uscc, sealed_quotes.Bid("1.00", "0" * 64))
    quotes.hand_in(f.actor, bidding.id, replace(sealed_for(bidding, f, "1.00"), sealed=foreign))  # another tender's
    opened(waiting(bidding))
    reasons = {quote.uscc: quote.invalid_because for quote in opened_quotes(bidding.id)}
    assert reasons == {
        a.uscc: None,
        b.uscc: sealed_quotes.NOT_POSITIVE,
        c.uscc: sealed_quotes.ABOVE_CEILING,
        d.uscc: sealed_quotes.WRONG_COMMITMENT,
        e.uscc: sealed_quotes.UNREADABLE,
        f.uscc: sealed_quotes.UNREADABLE,
    }
    opening = db.session.query(QuoteOpening).one()
    assert (opening.quotes, opening.valid) == (6, 1)


def test_no_share_before_the_deadline_and_none_without_its_state(app: Flask, clock_at: Clock) -> None:
    bidding = quoted(a_bidding(clock_at), "100.00")
    story = bidding.story
    for moment in (clock.now(), DEADLINE, DEADLINE + timedelta(seconds=1)):
        clock_at(moment)
        assert refusal(lambda: quotes.give_share(story.operator, story.id, quotes.GiveShare())) == "opening-not-due"
    waiting(bidding)
    clock_at(DEADLINE)
    assert refusal(lambda: quotes.give_share(story.operator, story.id, quotes.GiveShare())) == "opening-too-early"
    assert db.session.query(ShareEntry).count() == 0


def test_two_holders_and_two_persons(app: Flask, clock_at: Clock) -> None:
    bidding = waiting(quoted(a_bidding(clock_at), "100.00", "110.00", "120.00"))
    story = bidding.story
    by_owner = quotes.GiveShare(code=bidding.codes["owner"])
    assert refusal(lambda: quotes.give_share(story.owner, story.id, quotes.GiveShare(code="AAAA"))) == "bad-code"
    foreign = quotes.GiveShare(code=bidding.codes["supervision"])
    assert refusal(lambda: quotes.give_share(story.owner, story.id, foreign)) == "wrong-code"
    guessed = quotes.GiveShare(share=bytes(33))
    assert refusal(lambda: quotes.give_share(story.owner, story.id, guessed)) == "wrong-share"
    assert quotes.give_share(story.owner, story.id, by_owner) is False
    assert opened_quotes(bidding.id) == ()
    assert refusal(lambda: quotes.give_share(story.owner, story.id, by_owner)) == "share-given"
    colleague = another_person(story.owner, Role.OWNER)
    assert refusal(lambda: quotes.give_share(colleague, story.id, by_owner)) == "share-given"
    for stranger in (a_member(Role.OWNER), story.agencies[0].actor, a_member(Role.AUDITOR)):
        with pytest.raises(NotAllowed):
            quotes.give_share(stranger, story.id, by_owner)
    from dataclasses import replace as changed

    same = changed(story.operator, user_id=story.owner.user_id)
    assert refusal(lambda: quotes.give_share(same, story.id, quotes.GiveShare())) == "same-person"
    assert db.session.query(QuoteResult).count() == 0
    assert quotes.give_share(story.second, story.id, quotes.GiveShare(code=bidding.codes["supervision"])) is True
    assert sorted(prices(bidding).values()) == [100_00, 110_00, 120_00]


def test_everybody_reads_the_table_afterwards(app: Flask, clock_at: Clock) -> None:
    from app.kernel.access import ANONYMOUS

    bidding = quoted(a_bidding(clock_at), "100.00", "110.00")
    before = opening_views(ANONYMOUS, bidding.id)[0]
    assert (before.quotes, before.rows, before.opened_at) == (2, (), None)
    opened(waiting(bidding))
    view = opening_views(ANONYMOUS, bidding.id)[0]
    assert [(row.price, row.invalid_because) for row in view.rows] == [("100.00", None), ("110.00", None)]
    for row in view.rows:
        assert sealed_quotes.commitment(view.tender, row.bidder, row.price or "", row.nonce or "") == row.commitment
        assert row.nonce == bidding.nonces[row.bidder]


def test_a_plan_stays_sealed_and_comes_out_whole(app: Flask, clock_at: Clock) -> None:
    late = DEADLINE + timedelta(days=4)
    terms = MethodTerms(criteria=(Criterion("服务方案", 60), Criterion("报价", 40, is_price=True)))
    bidding = a_bidding(clock_at, method="merit_plan", registration_ends_at=late, method_terms=terms)
    agency = bidding.story.agencies[0]
    text = "项目经理 1 人，测量员 4 人。".encode()
    assert (
        refusal(lambda: quotes.hand_in(agency.actor, bidding.id, sealed_for(bidding, agency, "1.00"))) == "plan-missing"
    )
    quotes.hand_in(agency.actor, bidding.id, sealed_for(bidding, agency, "100.00", plan=text))
    assert quoting_view(agency.actor, bidding.id).standing is not None
    assert [text in row.content for row in db.session.query(SealedPlan)] == [False]
    clock_at(late + timedelta(seconds=1))
    selection_jobs.run_due()
    opened(bidding)
    quote = opened_quotes(bidding.id)[0]
    assert quote.is_valid
    assert quote.plan_file_id is not None
    assert files.content(quote.plan_file_id) == text
    assert bidding.story.state == "comparing"


def test_reminders_and_the_failure_of_an_opening_that_does_not_come(app: Flask, clock_at: Clock) -> None:
    bidding = waiting(quoted(a_bidding(clock_at), "100.00", "110.00", "120.00"))
    story = bidding.story
    due = opening_due(story.procurement)
    assert due is not None
    assert (jobs.run_due(), jobs.run_due()) == (1, 0)
    assert [notices_of(actor, "procurement.opening") for actor in (story.owner, story.second, story.operator)] == [
        1,
        1,
        1,
    ]
    quotes.give_share(story.owner, story.id, quotes.GiveShare(code=bidding.codes["owner"]))
    clock_at(due - timedelta(hours=1))
    assert jobs.run_due() == 1
    assert [notices_of(actor, "procurement.opening") for actor in (story.owner, story.second)] == [1, 2]
    clock_at(due)
    assert (jobs.run_due(), story.state) == (0, "opening")
    clock_at(due + ONE_MS)
    assert (jobs.run_due(), story.state) == (1, "failed")
    assert story.procurement.failure_code == "quotes_not_opened"
    assert refusal(lambda: quotes.give_share(story.operator, story.id, quotes.GiveShare())) == "opening-not-due"
    assert opened_quotes(bidding.id) == ()


def test_rounds_have_keys_of_their_own_and_the_last_one_decides(app: Flask, clock_at: Clock) -> None:
    bidding = quoted(
        a_bidding(clock_at, method_terms=MethodTerms(rounds=2, round_minutes=5)), "100.00", "110.00", "120.00"
    )
    story = bidding.story
    first_key = bidding.key
    opened(waiting(bidding))
    assert (story.state, story.procurement.quote_round) == ("bidding", 2)
    assert bidding.key.id != first_key.id
    agency = story.agencies[1]
    old = sealed_for(bidding, agency, "90.00")
    assert refusal(lambda: quotes.hand_in(agency.actor, bidding.id, old)) == "round-not-open"
    opens_at, ends_at = story.procurement.quotes_open_at, story.procurement.quotes_end_at
    assert opens_at is not None
    assert ends_at is not None
    clock_at(opens_at)
    stranger = a_member(Role.AGENCY)
    with pytest.raises(NotFound):
        quotes.hand_in(stranger, bidding.id, sealed_for(bidding, agency, "1.00"))
    quotes.hand_in(agency.actor, bidding.id, old)
    clock_at(ends_at + ONE_MS)
    assert refusal(lambda: quotes.withdraw_quote(agency.actor, bidding.id, Plain())) == "quotes-ended"
    selection_jobs.run_due()
    assert story.state == "opening"
    opened(bidding)
    assert [(quote.round, quote.price_fen) for quote in opened_quotes(bidding.id, 2)] == [(2, 90_00)]
    assert story.state == "result_publicity"
    assert story.procurement.winner_organisation_id == agency.actor.organisation_id


def test_a_new_code_is_for_later_tenders(app: Flask, clock_at: Clock) -> None:
    bidding = quoted(a_bidding(clock_at), "100.00")
    story = bidding.story
    newer = an_opening_code(story.owner)
    waiting(bidding)
    assert refusal(lambda: quotes.give_share(story.owner, story.id, quotes.GiveShare(code=newer))) == "wrong-code"
    assert quotes.give_share(story.owner, story.id, quotes.GiveShare(code=bidding.codes["owner"])) is False
    with pytest.raises(Conflict):
        tender_keys.make_holder_key(story.owner, tender_keys.MakeHolderKey(opening_keys.public_key_of(newer)))
    with pytest.raises(NotAllowed):
        an_opening_code(story.agencies[0].actor)
