"""A bidding procurement with its holders' opening codes and sealed quotes, made through the services under a moved clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from app.kernel.access import Actor, Role
from app.kernel.commands import Plain
from marketplace.jobs import procurements as jobs
from marketplace.models.quotes import TenderKey
from marketplace.queries.quotes import current_key
from marketplace.rules import opening_keys, sealed_quotes
from marketplace.services import procurements, quotes, tender_keys
from tests.builders import a_member
from tests.marketplace.procurement_builders import DEADLINE, AgencyMade, Clock, Story, a_story

ONE_MS = timedelta(milliseconds=1)


@dataclass
class Bidding:
    """A story of a bidding with what its holders and agencies keep for themselves."""

    story: Story
    codes: dict[str, str] = field(default_factory=dict)
    nonces: dict[str, str] = field(default_factory=dict)

    @property
    def id(self) -> UUID:
        return self.story.id

    @property
    def key(self) -> TenderKey:
        found = current_key(self.story.procurement)
        assert found is not None
        return found


def an_opening_code(actor: Actor) -> str:
    """A new opening code of the actor's organisation, in force."""
    code = opening_keys.new_code()
    tender_keys.make_holder_key(actor, tender_keys.MakeHolderKey(opening_keys.public_key_of(code)))
    return code


def a_bidding(
    clock_at: Clock, agencies: int = 3, *, method: str = "bid_low", first: int = 1, **changes: Any
) -> Bidding:
    """A published bidding; the owner and the supervision hold their codes, nobody has quoted."""
    facts: dict[str, Any] = {
        "ceiling_fen": 190_000_00,
        "price_fen": 190_000_00,
        "method": method,
        "fund_source": "social",
    }
    bidding = Bidding(a_story(clock_at, agencies, first=first, **{**facts, **changes}))
    story = bidding.story
    bidding.codes = {"owner": an_opening_code(story.owner), "supervision": an_opening_code(story.second)}
    procurements.submit_notice(story.owner, story.id, Plain())
    procurements.publish_notice(story.operator, story.id, Plain())
    return bidding


def sealed_for(bidding: Bidding, agency: AgencyMade, price: str, *, plan: bytes | None = None) -> quotes.HandIn:
    """What the agency's browser would send."""
    key = bidding.key
    nonce = sealed_quotes.new_nonce()
    sealed_plan, plan_key = sealed_quotes.seal_plan("方案.txt", plan) if plan else (None, sealed_quotes.NO_PLAN)
    bid = sealed_quotes.Bid(price, nonce, plan_key)
    bidding.nonces[agency.uscc] = nonce
    return quotes.HandIn(
        commitment=sealed_quotes.commitment(key.code, agency.uscc, price, nonce),
        sealed=sealed_quotes.seal(key.public_key, key.code, agency.uscc, bid),
        plan=sealed_plan,
    )


def quoted(bidding: Bidding, *prices: str) -> Bidding:
    """The first agencies quote these prices; each registers with its quote."""
    for agency, price in zip(bidding.story.agencies, prices, strict=False):
        quotes.hand_in(agency.actor, bidding.id, sealed_for(bidding, agency, price))
    return bidding


def waiting(bidding: Bidding) -> Bidding:
    """One second after the deadline: closed, listed, and the quotes wait for their opening."""
    bidding.story.clock_at(DEADLINE + timedelta(seconds=1))
    jobs.close_due()
    jobs.freeze_due()
    return bidding


def opened(bidding: Bidding) -> Bidding:
    """The owner and the operator have given their shares."""
    story = bidding.story
    assert not quotes.give_share(story.owner, story.id, quotes.GiveShare(code=bidding.codes["owner"]))
    assert quotes.give_share(story.operator, story.id, quotes.GiveShare())
    return bidding


def another_person(actor: Actor, role: Role) -> Actor:
    """A colleague of the same organisation."""
    return a_member(role, actor.organisation_id)
