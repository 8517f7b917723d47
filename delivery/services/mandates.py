"""Letters of authority: who may sign in the receiver's place, for how long, and proof of it."""

import re
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from app.kernel import clock
from app.kernel.access import SYSTEM, Actor
from app.kernel.calendar import end_of_day
from app.kernel.db import db, get, lock, new_id, use_case
from app.kernel.errors import Conflict, NotAllowed, NotFound, Refused
from app.kernel.files import Upload, keep
from app.kernel.transitions import move, record
from app.kernel.words import N_
from delivery import rules
from delivery import terms as rule_book
from delivery.doorstep import IdType
from delivery.models.mandates import LetterOfAuthority, LetterScope
from delivery.models.parcels import Parcel
from delivery.policy import must_see_parcel
from delivery.states import LETTER, LetterState, ParcelState, Part

ID_TAIL: Final = re.compile(r"[0-9A-Za-z]{4}")
OPEN: Final = (
    ParcelState.CREATED, ParcelState.READY, ParcelState.PACKED, ParcelState.BOOKING, ParcelState.WAYBILLED,
    ParcelState.HANDED_OVER, ParcelState.RETURNED, ParcelState.MERGED,
)  # fmt: skip
"""A letter can be given until the parcel has been delivered: also while it is with the courier."""


@dataclass(frozen=True)
class GrantLetter:
    """Whom the receiver authorises. Of the agent's document only the kind and the last four characters are kept."""

    agent_name: str = field(repr=False)
    agent_id_type: IdType
    agent_id_last4: str = field(repr=False)
    scope: LetterScope
    valid_until: date
    file: Upload | None = None
    version: int | None = None


@dataclass(frozen=True)
class Signatory:
    """Who may sign at the door now, for the handset and the window. `agent` is None where only the receiver may."""

    who: rules.WhoMaySign
    agent_name: str | None = field(default=None, repr=False)
    agent_id_type: str | None = None
    agent_id_last4: str | None = field(default=None, repr=False)
    valid_until: datetime | None = None

    def names(self, name: str, last4: str) -> bool:
        """Whether somebody with this name and document tail is the agent; true where no letter names one."""
        return self.agent_name is None or (name.strip(), last4.strip().upper()) == (
            self.agent_name,
            self.agent_id_last4,
        )


@use_case
def grant_letter(actor: Actor, parcel_id: UUID, command: GrantLetter) -> UUID:
    """Authorise an agent; an earlier letter is replaced. From now on the agent, or the receiver, may sign with the code.

    Raises NotAllowed for anybody but the applicant, Refused for a document tail or a validity that cannot be.
    """
    parcel = lock(Parcel, parcel_id, seen=command.version)
    if Part.APPLICANT not in must_see_parcel(actor, parcel):
        raise NotAllowed
    if parcel.state not in OPEN:
        raise Conflict(
            "too-late-for-letter", N_("The parcel is delivered or given up: nobody has to be authorised any more.")
        )
    now = clock.now()
    until = _checked(command, now)
    _end_present(parcel, actor, N_("Replaced by a new letter"))
    file = keep(command.file, actor) if command.file else None
    letter = LetterOfAuthority(
        id=new_id(), parcel_id=parcel.id, thread_id=parcel.thread_id, hall_organisation_id=parcel.hall_organisation_id,
        applicant_user_id=parcel.applicant_user_id, state=LetterState.GRANTED, agent_name=command.agent_name.strip(),
        agent_id_type=command.agent_id_type, agent_id_last4=command.agent_id_last4.upper(), scope=command.scope,
        valid_from=now, valid_until=until, file_id=file.id if file else None, granted_at=now,
    )  # fmt: skip
    db.session.add(letter)
    db.session.flush()  # one letter in force: the index speaks here
    parcel.who_may_sign = rules.WhoMaySign.AGENT
    record(
        letter, "granted", actor, title=N_("Letter of authority given"),
        detail={"agent": rules.masked_name(letter.agent_name), "until": until.isoformat(), "scope": str(command.scope)},
    )  # fmt: skip
    return letter.id


def _checked(command: GrantLetter, now: datetime) -> datetime:
    if not command.agent_name.strip() or len(command.agent_name) > 60:
        raise Refused("agent-name", N_("Give the agent's name."), field="agent_name")
    if not ID_TAIL.fullmatch(command.agent_id_last4):
        raise Refused("agent-id", N_("Give the last four characters of the document number."), field="agent_id_last4")
    longest = rule_book.in_force().letter_longest_days
    today = clock.beijing_day(now)
    if command.valid_until < today:
        raise Refused("letter-over", N_("The letter would have expired already."), field="valid_until")
    if command.valid_until > today + timedelta(days=longest):
        raise Refused(
            "letter-too-long",
            N_("A letter of authority holds at most %(days)s days."),
            field="valid_until",
            params={"days": longest},
        )
    return end_of_day(command.valid_until)


def _end_present(parcel: Parcel, actor: Actor, reason: str) -> None:
    present = _present(parcel.id)
    if present is not None:
        present.ended_at = clock.now()
        move(present, LETTER, "revoke", actor, {Part.APPLICANT}, reason=reason)
        db.session.flush()


def _present(parcel_id: UUID) -> LetterOfAuthority | None:
    statement = sa.select(LetterOfAuthority).where(
        LetterOfAuthority.parcel_id == parcel_id, LetterOfAuthority.state == LetterState.GRANTED
    )
    return db.session.scalar(statement.with_for_update())


@use_case
def revoke_letter(actor: Actor, letter_id: UUID, command: object) -> None:
    """Take the letter back: from now on only the receiver may sign. Raises NotFound for somebody else's."""
    parcel = lock(Parcel, get(LetterOfAuthority, letter_id).parcel_id)
    letter = lock(LetterOfAuthority, letter_id, seen=getattr(command, "version", None))
    parts = must_see_parcel(actor, parcel)
    if not parts:
        raise NotFound
    letter.ended_at = clock.now()
    move(letter, LETTER, "revoke", actor, parts, reason=str(getattr(command, "reason", "")))
    parcel.who_may_sign = rules.WhoMaySign.SELF


@use_case
def expire_letter(letter_id: UUID) -> bool:
    """End a letter whose validity is over; returns whether it was ended now."""
    parcel = lock(Parcel, get(LetterOfAuthority, letter_id).parcel_id)
    letter = lock(LetterOfAuthority, letter_id)
    if letter.state != LetterState.GRANTED or letter.valid_until > clock.now():
        return False
    letter.ended_at = clock.now()
    move(letter, LETTER, "expire", SYSTEM, {Part.SYSTEM})
    parcel.who_may_sign = rules.WhoMaySign.SELF
    return True


def letters_due(limit: int = 200) -> list[UUID]:
    """Letters whose validity is over."""
    statement = (
        sa.select(LetterOfAuthority.id)
        .where(LetterOfAuthority.state == LetterState.GRANTED, LetterOfAuthority.valid_until <= clock.now())
        .order_by(LetterOfAuthority.valid_until)
    )
    return list(db.session.scalars(statement.limit(limit)))


def signatory(parcel_id: UUID, at: datetime | None = None) -> Signatory:
    """Who may sign for a parcel at a moment (now), by its letter; a letter that has expired by then counts for nothing."""
    parcel = get(Parcel, parcel_id)
    moment = at or clock.now()
    statement = sa.select(LetterOfAuthority).where(LetterOfAuthority.parcel_id == parcel_id)
    letters = list(db.session.scalars(statement))
    for letter in letters:
        until = min(letter.valid_until, letter.ended_at or letter.valid_until)
        if letter.valid_from <= moment < until and letter.scope != LetterScope.WINDOW:
            return Signatory(
                rules.WhoMaySign.AGENT,
                letter.agent_name,
                letter.agent_id_type,
                letter.agent_id_last4,
                letter.valid_until,
            )
    who = rules.WhoMaySign.SELF if letters else rules.WhoMaySign(parcel.who_may_sign)
    return Signatory(who)
