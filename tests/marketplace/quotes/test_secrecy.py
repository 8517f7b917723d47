"""No page, API, export, log line or database byte shows a price before the opening; afterwards everybody may read all of them."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from app.kernel import clock, outbox
from app.kernel.access import ANONYMOUS, Role
from app.kernel.commands import Plain
from app.kernel.db import db
from app.kernel.errors import DomainError
from marketplace.models.procurements import Registration
from marketplace.models.quotes import Quote
from marketplace.queries.quotes import number_of_quotes, opened_quotes, opening_views, own_quote, quoting_view
from marketplace.services import quotes
from tests.builders import sign_in
from tests.marketplace.procurement_builders import DEADLINE
from tests.marketplace.quotes.builders import Bidding, a_bidding, quoted, sealed_for, waiting

PRICE, FEN, PLAIN = "177431.29", "17743129", "177,431.29"
SIGNS = tuple(text.encode() for text in (PRICE, FEN, PLAIN, "177431,29"))


def leaks(content: bytes) -> list[bytes]:
    return [sign for sign in SIGNS if sign in content]


def addresses(app: Flask, bidding: Bidding, registration: UUID, quote: UUID) -> Iterator[tuple[bool, str]]:
    """Every GET address without parameters (lists, exports, searches, feeds), and (True, ...) those of this procurement, its
    thread, registration and quote; an id of any other kind of object would only be unknown there."""
    own = {"procurements": bidding.id, "registrations": registration, "quotes": quote}
    thread = bidding.story.procurement.thread_id
    for one in app.url_map.iter_rules():
        if "GET" not in (one.methods or ()) or one.rule.startswith(("/static", "/dev/sign-in")):
            continue
        if "<" not in one.rule:
            yield False, one.rule
            continue
        object_id = thread if "thread_id" in one.rule else own.get(one.rule.removeprefix("/api").split("/")[1])
        if object_id is not None:
            made = re.sub(r"<uuid:[a-z_]+>", str(object_id), one.rule)
            yield True, re.sub(r"<(?:[a-z]+:)?[a-z_]+>", "1", made)


def clients(
    app: Flask, bidding: Bidding, as_role: Callable[..., FlaskClient]
) -> Iterator[tuple[bool, str, FlaskClient]]:
    """(takes part, name, client): the parties of this procurement, and a stranger of every role."""
    yield True, "visitor", app.test_client()
    story = bidding.story
    for name, actor in (
        ("the quoting agency", story.agencies[0].actor),
        ("a rival", story.agencies[1].actor),
        ("the owner", story.owner),
        ("the operator", story.operator),
        ("the supervision", story.second),
    ):
        made = app.test_client()
        sign_in(made, actor)
        yield True, name, made
    for role in Role:
        yield False, str(role), as_role(role)


def stored_bytes(data: Path, database: str) -> Iterator[tuple[str, bytes]]:
    """The database as it lies on the disk, and every other file of the installation."""
    path = Path(database.removeprefix("sqlite:///"))
    files = [path, *path.parent.glob(f"{path.name}-*"), *(found for found in data.rglob("*") if found.is_file())]
    for found in files:
        yield found.name, found.read_bytes()


def test_nothing_shows_a_price_before_the_opening(
    app: Flask,
    clock_at: Any,
    as_role: Callable[..., FlaskClient],
    caplog: pytest.LogCaptureFixture,
    database: str,
    tmp_path: Path,
) -> None:
    caplog.set_level(logging.DEBUG)
    bidding = quoted(a_bidding(clock_at), PRICE, "178000.00", "179000.00")
    agency = bidding.story.agencies[2]
    sent, _ = quotes.seal_for_agency(agency.actor, bidding.id, quotes.PlainQuote(int(FEN)))  # the weaker way too
    quotes.hand_in(agency.actor, bidding.id, sent)
    registration = db.session.query(Registration.id).filter_by(uscc=bidding.story.agencies[0].uscc).scalar()
    quote = db.session.query(Quote.id).filter_by(registration_id=registration).scalar()
    outbox.drain_all()
    db.session.remove()
    shown = {}
    asked = 0
    every = list(addresses(app, bidding, registration, quote))
    for takes_part, name, client in clients(app, bidding, as_role):
        for is_own, address in every:
            if not takes_part and not is_own:
                continue
            answer = client.get(address)
            asked += answer.status_code == 200
            if leaks(answer.data) or leaks(str(answer.headers).encode()):
                shown[f"{name} {address}"] = leaks(answer.data)
    assert asked > 400
    assert shown == {}
    assert leaks(caplog.text.encode()) == []
    waiting(bidding)
    quotes.give_share(bidding.story.operator, bidding.id, quotes.GiveShare())  # one share alone opens nothing
    db.session.remove()
    if database.startswith("sqlite"):
        stored = dict(stored_bytes(tmp_path, database))
        assert {name: leaks(content) for name, content in stored.items() if leaks(content)} == {}
        assert "quote_vault_key" in stored
    quotes.give_share(bidding.story.owner, bidding.id, quotes.GiveShare(code=bidding.codes["owner"]))
    assert opening_views(ANONYMOUS, bidding.id)[0].rows[0].price == PRICE
    assert PRICE in app.test_client().get(f"/procurements/{bidding.id}/quotes/1.txt").text
    assert leaks(app.test_client().get(f"/api/procurements/{bidding.id}/quotes").data)


class Quoting(RuleBasedStateMachine):
    """Agencies quote, replace and withdraw, the clock moves, holders try to open; no read path tells a price too early."""

    start: Callable[[], Bidding]
    set_clock: Callable[[Any], None]

    @initialize()
    def begin(self) -> None:
        self.bidding = type(self).start()
        self.now = clock.now()
        self.expected: dict[str, int] = {}
        self.is_open = False
        self.given: set[str] = set()

    @property
    def is_late(self) -> bool:
        return self.now > DEADLINE

    @precondition(lambda self: not self.is_open)
    @rule(seconds=st.sampled_from([1, 3600, 86_400]))
    def time_passes(self, seconds: int) -> None:
        self.move_to(self.now + timedelta(seconds=seconds))

    @rule(step=st.sampled_from([timedelta(0), timedelta(milliseconds=1)]))
    def the_deadline_comes(self, step: timedelta) -> None:
        self.move_to(max(self.now, DEADLINE + step))

    def move_to(self, moment: Any) -> None:
        from marketplace.jobs import procurements as jobs

        self.now = moment
        type(self).set_clock(moment)
        jobs.close_due()
        jobs.freeze_due()

    @rule(who=st.integers(0, 3), fen=st.integers(10_000_00, 189_999_99))
    def quote(self, who: int, fen: int) -> None:
        agency = self.bidding.story.agencies[who]
        sent = sealed_for(self.bidding, agency, f"{fen // 100}.{fen % 100:02d}")
        try:
            quotes.hand_in(agency.actor, self.bidding.id, sent)
            assert not self.is_late
            self.expected[agency.uscc] = fen
        except DomainError:
            assert self.is_late

    @rule(who=st.integers(0, 3))
    def withdraw(self, who: int) -> None:
        agency = self.bidding.story.agencies[who]
        try:
            quotes.withdraw_quote(agency.actor, self.bidding.id, Plain())
            assert not self.is_late
            del self.expected[agency.uscc]
        except DomainError:
            assert self.is_late or agency.uscc not in self.expected

    @rule(holder=st.sampled_from(["owner", "supervision", "platform"]))
    def give(self, holder: str) -> None:
        story = self.bidding.story
        actor = {"owner": story.owner, "supervision": story.second, "platform": story.operator}[holder]
        try:
            opens = quotes.give_share(actor, story.id, quotes.GiveShare(code=self.bidding.codes.get(holder)))
            assert self.is_late
            self.given.add(holder)
            assert opens is (len(self.given) == 2)
            self.is_open = opens
        except DomainError:
            assert not self.is_late or self.is_open or holder in self.given or story.state == "failed"

    @invariant()
    def no_price_is_read_too_early(self) -> None:
        if not hasattr(self, "bidding"):
            return
        db.session.expire_all()
        found = {quote.uscc: quote.price_fen for quote in opened_quotes(self.bidding.id)}
        assert found == (self.expected if self.is_open else {})
        view = opening_views(ANONYMOUS, self.bidding.id)[0]
        assert [row.price_fen for row in view.rows] == sorted(found.values())
        assert view.quotes == len(self.expected) == number_of_quotes(self.bidding.key.id)
        for agency in self.bidding.story.agencies:
            told = str(quoting_view(agency.actor, self.bidding.id))
            for step in quoting_view(agency.actor, self.bidding.id).steps:
                told += str(own_quote(agency.actor, step.id).to_json())
            price = self.expected.get(agency.uscc)
            assert price is None or f"{price // 100}.{price % 100:02d}" not in told


def test_walks_of_quoting_and_opening(app: Flask, clock_at: Any) -> None:
    numbers = iter(range(1, 10_000, 10))

    def start() -> Bidding:
        return a_bidding(clock_at, agencies=4, first=next(numbers))

    machine = type("Walk", (Quoting,), {"start": staticmethod(start), "set_clock": staticmethod(clock_at)})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=8, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
