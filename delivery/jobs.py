"""What the clock starts: every job derives its work from due rows and may run twice without harm."""

from datetime import timedelta
from typing import Final

import sqlalchemy as sa

from app.kernel import clock, files
from app.kernel.access import SYSTEM
from app.kernel.db import db
from app.kernel.erasure import compact
from app.kernel.jobs import Job, daily, every
from app.kernel.words import N_
from delivery import terms as rule_book
from delivery.models.parcels import Parcel
from delivery.services import (
    claims,
    complaints,
    erasure,
    mandates,
    merging,
    orders,
    papers,
    replay,
    returns,
    schedules,
    second_source,
    tracking,
    waybills,
)
from delivery.states import ParcelState

POLLED_AT_ONCE: Final = 200
POLLS_AT_ONCE: Final = 20
"""Rounds of one run of the job: four thousand parcels, some twenty seconds."""


def ask_for_numbers() -> int:
    """Ask for the waybill numbers that are due."""
    return sum(waybills.book(parcel_id) for parcel_id in waybills.bookings_due())


def give_up_numbers() -> int:
    """Cancel the waybills that are one too many."""
    return sum(waybills.cancel_at_carrier(waybill_id) for waybill_id in waybills.cancellations_due())


def ask_about_parcels() -> int:
    """Ask the carrier about the parcels that are due until none is, or for as long as a peak hour's backlog takes."""
    asked = 0
    for _ in range(POLLS_AT_ONCE):
        found = tracking.poll_due(POLLED_AT_ONCE)
        asked += found
        if found < POLLED_AT_ONCE:
            break
    return asked


def raise_alarms() -> int:
    """Look for parcels that have been silent too long."""
    now, terms = clock.now(), rule_book.in_force()
    shortest = min(terms.not_collected_hours, terms.stalled_hours)
    last_word = now - timedelta(hours=terms.stalled_hours)
    silent = sa.or_(Parcel.last_report_at.is_(None), Parcel.last_report_at <= last_word)
    statement = sa.select(Parcel.id).where(
        Parcel.state == ParcelState.HANDED_OVER, Parcel.handed_over_at <= now - timedelta(hours=shortest), silent
    )
    return sum(tracking.raise_alarm(parcel_id) for parcel_id in list(db.session.scalars(statement.limit(500))))


def close_quiet() -> int:
    """Close deliveries that nobody objected to."""
    statement = (
        sa.select(Parcel.id).where(Parcel.state == ParcelState.DELIVERED, Parcel.close_at <= clock.now()).limit(500)
    )
    return sum(orders.close_quiet(parcel_id, SYSTEM) for parcel_id in list(db.session.scalars(statement)))


def look_after_kept() -> int:
    """Raise the parcels that were kept for collection for too long."""
    return sum(returns.raise_kept(return_id) for return_id in returns.kept_too_long())


def look_after_claims() -> int:
    """Raise the claims that the carrier did not answer in time."""
    return sum(claims.raise_unanswered(claim_id) for claim_id in claims.unanswered())


def collect_originals() -> int:
    """Order and follow the collections of originals that are due."""
    return sum(papers.ask(papers_id) for papers_id in papers.due())


def end_letters() -> int:
    """End letters of authority whose validity is over."""
    return sum(mandates.expire_letter(letter_id) for letter_id in mandates.letters_due())


def follow_complaints() -> int:
    """Pass unanswered complaints to the operator, settle those that nobody objected to."""
    return sum(complaints.follow_term(complaint_id) for complaint_id in complaints.due())


def settle_envelopes() -> int:
    """Close what travelled in closed envelopes, put back what lay in cancelled ones."""
    return sum(merging.settle_along(main_id) for main_id in merging.to_settle())


def erase_receivers() -> int:
    """Erase receivers whose retention period is over."""
    return sum(erasure.erase_receiver(parcel_id) for parcel_id in erasure.due())


def compact_after_erasure() -> int:
    """Rewrite the database file after an erasure, so that free pages hold nothing of what was erased.

    Stored bytes that nothing names any more go first: an erasure may have been cut short before they went.
    """
    files.sweep()
    if not erasure.erased_since(clock.now() - timedelta(days=2)):
        return 0
    compact(erasure.TABLES)
    return 1


JOBS: Final = (
    Job("delivery.papers", collect_originals, every(seconds=30), N_("Collections of originals"), lease_seconds=300),
    Job("delivery.letters", end_letters, every(minutes=5), N_("End expired letters of authority")),
    Job("delivery.complaints", follow_complaints, every(minutes=10), N_("Terms of complaints")),
    Job("delivery.envelopes", settle_envelopes, every(minutes=10), N_("Settle parcels that travelled in others")),
    Job(
        "delivery.collections",
        schedules.run_collections,
        every(minutes=5),
        N_("Tell the post before the courier comes"),
    ),
    Job(
        "delivery.serve-alarms",
        schedules.serve_alarms,
        every(minutes=30),
        N_("Alarms before the statutory end of service"),
        lease_seconds=300,
    ),
    Job(
        "delivery.erase",
        erase_receivers,
        daily("02:40"),
        N_("Erase receivers after their retention period"),
        lease_seconds=1800,
    ),
    Job(
        "delivery.compact",
        compact_after_erasure,
        daily("03:40"),
        N_("Rewrite the database file after an erasure"),
        lease_seconds=3600,
    ),
    Job(
        "delivery.numbers",
        ask_for_numbers,
        every(seconds=5),
        N_("Ask the carrier for waybill numbers"),
        lease_seconds=600,
    ),
    Job(
        "delivery.notices",
        tracking.follow_notices,
        every(seconds=2),
        N_("Follow the carrier's notices"),
        lease_seconds=120,
    ),
    Job(
        "delivery.poll", ask_about_parcels, every(seconds=4), N_("Ask the carrier where parcels are"), lease_seconds=600
    ),
    Job(
        "delivery.cancellations", give_up_numbers, every(seconds=30), N_("Give up surplus waybills"), lease_seconds=300
    ),
    Job(
        "delivery.second-source",
        second_source.ask_where_needed,
        every(minutes=1),
        N_("Ask the second source of tracking"),
        lease_seconds=600,
    ),
    Job("delivery.replay", replay.carry_on, every(seconds=10), N_("Read stored reports again"), lease_seconds=600),
    Job("delivery.alarms", raise_alarms, every(minutes=10), N_("Look for parcels that fell silent"), lease_seconds=120),
    Job(
        "delivery.claims",
        look_after_claims,
        every(minutes=60),
        N_("Look for claims without an answer"),
        lease_seconds=120,
    ),
    Job(
        "delivery.kept",
        look_after_kept,
        every(minutes=60),
        N_("Look for kept parcels that nobody collected"),
        lease_seconds=120,
    ),
    Job("delivery.close", close_quiet, every(minutes=30), N_("Close undisputed deliveries"), lease_seconds=120),
)
