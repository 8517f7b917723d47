"""The verifiable draw of a procurement: its frozen file, the agreed values of its announced sources, its complete order."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select

from app.kernel import clock, work_calendar
from app.kernel.db import db, new_id
from app.kernel.words import N_
from marketplace.models.procurements import (
    Draw,
    DrawOutcome,
    DrawRank,
    DrawValueEntry,
    Procurement,
    ProcurementNotice,
    Registration,
)
from marketplace.rulebook import RuleBook
from marketplace.rules import draw as gmdraw
from marketplace.rules.draw import DEMO, DrawList, Entry
from marketplace.rules.selection.methods import DrawPurpose
from marketplace.rules.selection.random_draw import agreed_value, counting_round
from marketplace.services.procurements import tell


def freeze_draw(
    procurement: Procurement,
    book: RuleBook,
    listed: Sequence[Registration],
    *,
    purpose: DrawPurpose,
    seats: int,
    tickets: Mapping[UUID, int],
) -> Draw:
    """Freeze and store `draw.txt` for these registrations and tell each of them its digest.

    `tickets` are the weights by registration, 1 where missing. Raises UnknownYear while the working days of the beacon's year
    are not known; the step then waits.
    """
    frozen_at = clock.now().replace(microsecond=0)
    names = announced(procurement)
    calendar = work_calendar.current()
    sources = tuple(counting_round(name, frozen_at, book, calendar) for name in names)
    count = db.session.scalar(select(func.count()).select_from(Draw).where(Draw.procurement_id == procurement.id))
    code = f"{procurement.number}-{(count or 0) + 1}"
    entries = tuple(Entry(r.uscc, tickets.get(r.id, 1), r.contribution) for r in listed)
    draw_file = gmdraw.write_draw(DrawList(code, seats, frozen_at, sources, entries))
    known_at = [moment for moment in map(gmdraw.published_at, sources) if moment]
    row = Draw(
        id=new_id(),
        procurement_id=procurement.id,
        code=code,
        purpose=purpose,
        is_demonstration=DEMO in names,
        sources=[[source.name, source.round] for source in sources],
        entries=len(entries),
        draw_file=draw_file,
        sha256=gmdraw.list_hash(draw_file),
        frozen_at=frozen_at,
        challenge_ends_at=frozen_at + timedelta(minutes=book.draw_challenge_minutes),
        beacon_due_at=max(known_at),
    )
    db.session.add(row)
    procurement.beacon_due_at = row.beacon_due_at
    for registration in listed:
        tell(
            procurement,
            registration.organisation_id,
            "procurement.frozen",
            N_("The list is frozen: %(title)s"),
            N_(
                "Your agency stands on the list of draw %(draw)s. SHA-256 of draw.txt: %(sha256)s. Keep this message as your receipt."
            ),
            draw=code,
            sha256=row.sha256,
        )
    return row


def announced(procurement: Procurement) -> list[str]:
    """The sources that the latest published notice announced."""
    content = db.session.scalar(
        select(ProcurementNotice.content)
        .where(ProcurementNotice.procurement_id == procurement.id)
        .order_by(ProcurementNotice.version.desc())
        .limit(1)
    )
    assert content is not None, "a published procurement has a notice"
    return list(content["selection"]["sources"])


def latest_draw(procurement_id: UUID) -> Draw | None:
    """The draw that counts: the last one frozen."""
    return db.session.scalar(
        select(Draw)
        .where(Draw.procurement_id == procurement_id)
        .order_by(Draw.frozen_at.desc(), Draw.id.desc())
        .limit(1)
    )


def readings(draw_id: UUID) -> Sequence[DrawValueEntry]:
    """Every reading of the draw's values, in the order in which they were entered."""
    statement = select(DrawValueEntry).where(DrawValueEntry.draw_id == draw_id)
    return db.session.scalars(statement.order_by(DrawValueEntry.entered_at, DrawValueEntry.id)).all()


def agreed(entries: Sequence[DrawValueEntry], source: str) -> str | None:
    """The value of `source` on which two persons agree, None until then."""
    return agreed_value(source, ((entry.entered_by, entry.value) for entry in entries if entry.source == source))


def outcome_of(row: Draw, registrations: Mapping[str, Registration]) -> DrawOutcome | None:
    """The outcome of a draw, computed and stored when its values are all in; None while one is missing."""
    known = db.session.get(DrawOutcome, row.id)
    if known is not None:
        return known
    entries = readings(row.id)
    values = [agreed(entries, name) for name, _ in row.sources]
    complete = [value for value in values if value is not None]
    if len(complete) < len(values):
        return None
    listed = gmdraw.parse_draw(row.draw_file, demonstration=row.is_demonstration)
    beacon_file = gmdraw.write_beacons(listed, complete)
    result = gmdraw.rank(row.draw_file, beacon_file, demonstration=row.is_demonstration)
    outcome = DrawOutcome(draw_id=row.id, beacon_file=beacon_file, seed=result.seed, ranked_at=clock.now())
    db.session.add(outcome)
    db.session.flush()
    for place in result.ranking:
        db.session.add(
            DrawRank(
                draw_id=row.id,
                place=place.place,
                registration_id=registrations[place.code].id,
                uscc=place.code,
                score=place.score,
            )
        )
    db.session.flush()
    return outcome
