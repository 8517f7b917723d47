"""The public side of an opening: who holds a share, how many quotes wait, and afterwards the whole table, word for word."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select

from app.identity.queries import organisations_by_ids
from app.kernel import clock
from app.kernel.access import Actor, Role
from app.kernel.db import db
from app.kernel.errors import NotFound
from app.kernel.words import N_
from app.manifest import Turn, WorkItem
from marketplace.models.procurements import Procurement, Registration
from marketplace.models.quotes import HolderKey, Quote, QuoteOpening, QuoteResult, ShareEntry, TenderKey, TenderShare
from marketplace.policy import holder_of, sees_procurement
from marketplace.queries.quotes.rounds import number_of_quotes, opening_due, round_ended_at
from marketplace.rules import opening_keys, sealed_quotes
from marketplace.rules.opening_keys import Holder
from marketplace.rules.selection.methods import needs_quotes
from marketplace.states.procurement import PROCUREMENT, ProcurementState


@dataclass(frozen=True)
class HolderView:
    """One holder of a share. `codes` are (organisation, fingerprint of its opening code); `given_by` once the share was given."""

    holder: str
    codes: tuple[tuple[str, str], ...]
    given_by: str | None
    given_at: datetime | None


@dataclass(frozen=True)
class OpenedView:
    """One opened quote as it is published. `price` in yuan with two decimals; None for one that could not be read."""

    bidder: str
    name: str
    price_fen: int | None
    price: str | None
    nonce: str | None
    commitment: str
    sealed_in: str
    received_at: datetime
    invalid_because: str | None
    plan_file_id: UUID | None


@dataclass(frozen=True)
class OpeningView:
    """One round of a tender. `own_holder` and `own_shares` (sealed, hex) are for the reader who may give a share now."""

    procurement_id: UUID
    number: str
    title: str
    round: int
    tender: str
    key: str
    quotes: int
    ended_at: datetime | None
    due_at: datetime | None
    is_waiting: bool
    opened_at: datetime | None
    holders: tuple[HolderView, ...]
    rows: tuple[OpenedView, ...]
    own_holder: str | None
    own_shares: tuple[str, ...]


def opening_views(actor: Actor, procurement_id: UUID) -> tuple[OpeningView, ...]:
    """Every round of a tender, the newest first. Raises NotFound where the actor sees no procurement or none asks for quotes."""
    procurement = db.session.get(Procurement, procurement_id)
    if procurement is None or not sees_procurement(actor, procurement) or not needs_quotes(procurement.method):
        raise NotFound
    keys = db.session.scalars(
        select(TenderKey)
        .where(TenderKey.procurement_id == procurement.id)
        .order_by(TenderKey.made_at.desc(), TenderKey.round.desc())
    ).all()
    present = max((key.made_at for key in keys if key.round == procurement.quote_round), default=None)
    return tuple(
        _view(actor, procurement, key, is_present=key.round == procurement.quote_round and key.made_at == present)
        for key in keys
    )


def _view(actor: Actor, procurement: Procurement, key: TenderKey, *, is_present: bool) -> OpeningView:
    opening = db.session.get(QuoteOpening, key.id)
    ended_at = round_ended_at(procurement) if is_present else None
    waits = opening is None and is_present and procurement.state == ProcurementState.OPENING
    holders = _holders(key)
    own = holder_of(actor, procurement) if waits else None
    if any(view.holder == own and view.given_at for view in holders):
        own = None
    return OpeningView(
        procurement_id=procurement.id,
        number=procurement.number,
        title=procurement.title,
        round=key.round,
        tender=key.code,
        key=key.public_key.hex(),
        quotes=opening.quotes if opening else number_of_quotes(key.id),
        ended_at=opening.deadline_at if opening else ended_at,
        due_at=opening_due(procurement) if waits else None,
        is_waiting=waits and ended_at is not None and clock.now() > ended_at,
        opened_at=opening.opened_at if opening else None,
        holders=holders,
        rows=_rows(key) if opening else (),
        own_holder=own,
        own_shares=_own_shares(actor, key, own) if own else (),
    )


def _own_shares(actor: Actor, key: TenderKey, holder: str) -> tuple[str, ...]:
    """The shares sealed to the actor's own organisation; the platform's stays in the vault."""
    rows = db.session.scalars(
        select(TenderShare.sealed)
        .join(HolderKey, HolderKey.id == TenderShare.holder_key_id)
        .where(
            TenderShare.tender_key_id == key.id,
            TenderShare.holder == holder,
            HolderKey.organisation_id == actor.organisation_id,
        )
    )
    return tuple(sealed.hex() for sealed in rows)


def _holders(key: TenderKey) -> tuple[HolderView, ...]:
    shares = db.session.execute(
        select(TenderShare.holder, HolderKey.organisation_id, HolderKey.public_key)
        .outerjoin(HolderKey, HolderKey.id == TenderShare.holder_key_id)
        .where(TenderShare.tender_key_id == key.id)
        .order_by(TenderShare.id)
    ).all()
    given = {
        entry.holder: entry
        for entry in db.session.scalars(select(ShareEntry).where(ShareEntry.tender_key_id == key.id))
    }
    names = organisations_by_ids([row.organisation_id for row in shares if row.organisation_id])
    return tuple(
        HolderView(
            holder=holder,
            codes=tuple(
                (names[row.organisation_id].name, opening_keys.fingerprint(row.public_key))
                for row in shares
                if row.holder == holder and row.organisation_id in names
            ),
            given_by=given[holder].entered_by_name if holder in given else None,
            given_at=given[holder].entered_at if holder in given else None,
        )
        for holder in Holder
    )


def _rows(key: TenderKey) -> tuple[OpenedView, ...]:
    """Valid quotes by their price, then the invalid ones; equal prices by credit code, never by time."""
    found = db.session.execute(
        select(QuoteResult, Quote, Registration.uscc, Registration.name)
        .join(Quote, Quote.id == QuoteResult.quote_id)
        .join(Registration, Registration.id == Quote.registration_id)
        .where(QuoteResult.tender_key_id == key.id)
    ).all()
    rows = [
        OpenedView(
            bidder=uscc,
            name=name,
            price_fen=result.price_fen,
            price=None if result.price_fen is None else sealed_quotes.price_of(result.price_fen),
            nonce=result.nonce,
            commitment=quote.commitment or "",
            sealed_in=quote.sealed_in or "",
            received_at=quote.received_at,
            invalid_because=result.invalid_because,
            plan_file_id=result.plan_file_id,
        )
        for result, quote, uscc, name in found
    ]
    return tuple(sorted(rows, key=lambda row: (row.invalid_because is not None, row.price_fen or 0, row.bidder)))


def table_of(view: OpeningView) -> str:
    """The published table as a file, one line a quote, in the order of the credit codes; what `verify_quotes.py` reads."""
    head = (
        "GMBID/1",
        f"tender: {view.tender}",
        f"deadline: {_utc(view.ended_at)}",
        f"opened: {_utc(view.opened_at)}",
    )
    lines = (
        f"quote: {row.bidder} {row.price or '-'} {row.nonce or '-'} {row.commitment} "
        f"{'valid' if row.invalid_because is None else 'invalid'}"
        for row in sorted(view.rows, key=lambda row: row.bidder)
    )
    return "\n".join((*head, *lines)) + "\n"


def _utc(moment: datetime | None) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else "-"


# --- the holders' own page and workbench ------------------------------------------------------------------------


def own_code(actor: Actor) -> HolderKey | None:
    """The opening code in force of the actor's organisation, by its public half."""
    if actor.organisation_id is None:
        return None
    return db.session.scalar(
        select(HolderKey)
        .where(HolderKey.organisation_id == actor.organisation_id, HolderKey.retired_at.is_(None))
        .order_by(HolderKey.made_at.desc())
        .limit(1)
    )


def worklist(actor: Actor) -> Sequence[WorkItem]:
    """Openings that wait for the actor's share, and the supervision's code when there is none."""
    if not actor.has(Role.OWNER, Role.REGULATOR, Role.OPERATOR):
        return ()
    statement = select(Procurement).where(Procurement.state == ProcurementState.OPENING)
    if actor.has(Role.OWNER):
        statement = statement.where(Procurement.owner_organisation_id == actor.organisation_id)
    waiting = db.session.scalars(statement.order_by(Procurement.registration_ends_at).limit(_SHOWN)).all()
    rows = [
        WorkItem(
            turn=Turn.MINE,
            kind=N_("Opening of quotes"),
            number=row.number,
            title=row.title,
            state=PROCUREMENT.labels[ProcurementState.OPENING],
            step=N_("Give your share of the key"),
            href=f"/procurements/{row.id}/opening",
            due_at=opening_due(row),
            updated_at=round_ended_at(row),
            tone="waiting",
        )
        for row in waiting
    ]
    if actor.has(Role.REGULATOR) and own_code(actor) is None:
        rows.append(
            WorkItem(
                turn=Turn.MINE,
                kind=N_("Opening code"),
                number="",
                title="",
                state=N_("Not made"),
                step=N_("Make the opening code of the supervision"),
                href="/opening-code",
                due_at=None,
                tone="warning",
            )
        )
    return rows


_SHOWN = 100
