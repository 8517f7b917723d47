"""The pick-up code: wrong ones are counted in one place, wherever they are typed; a locked code is opened by a supervisor."""

import secrets
from uuid import UUID

from app.identity.notices import notify
from app.kernel import clock
from app.kernel.access import SYSTEM, Actor
from app.kernel.db import lock, use_case
from app.kernel.errors import Conflict, NotAllowed, Refused
from app.kernel.transitions import record
from app.kernel.words import N_
from delivery import rules
from delivery import terms as rule_book
from delivery.models.parcels import Parcel
from delivery.models.tasks import TaskKind
from delivery.policy import must_see_parcel
from delivery.services.tasks import drop_tasks, raise_task
from delivery.services.terms import terms_of
from delivery.states import Part


def locked_code() -> Conflict:
    """Nothing more can be tried: a supervisor of the hall unlocks the code."""
    return Conflict(
        "code-locked",
        N_("The pick-up code is locked after too many wrong ones. A postal supervisor of the hall unlocks it."),
    )


@use_case
def code_fits(parcel_id: UUID, typed: str) -> bool:
    """Whether `typed` is the pick-up code. A wrong one is counted, and commits; the last one allowed locks the code.

    Raises Conflict (code-locked) while it is locked, for a right code too.
    """
    parcel = lock(Parcel, parcel_id)
    if is_locked(parcel.id):
        raise locked_code()
    fits = secrets.compare_digest(rules.normal_scan(typed).encode(), parcel.pickup_code.encode())
    count_try(parcel, SYSTEM, fits=fits)
    return fits


def is_locked(parcel_id: UUID) -> bool:
    """Whether only a supervisor can let the code be tried again."""
    return terms_of(parcel_id).code_locked_at is not None


def tries_left(parcel_id: UUID) -> int:
    """How many wrong codes more lock it."""
    return max(0, rule_book.in_force().code_tries - terms_of(parcel_id).code_tries)


def count_try(parcel: Parcel, actor: Actor, *, fits: bool) -> None:
    """Count a wrong code and begin anew after a right one; under the parcel's lock, for a code that is not locked."""
    terms = terms_of(parcel.id)
    terms.code_tries = 0 if fits else terms.code_tries + 1
    if terms.code_tries >= rule_book.in_force().code_tries:
        lock_code(parcel, actor)


def lock_code(parcel: Parcel, actor: Actor) -> None:
    """Lock the code and put that before a person; once, under the parcel's lock."""
    terms = terms_of(parcel.id)
    if terms.code_locked_at is not None:
        return
    terms.code_tries, terms.code_locked_at = rule_book.in_force().code_tries, clock.now()
    raise_task(parcel, TaskKind.CODE_LOCKED, cause=terms.code_locked_at.isoformat(), fact="")
    record(parcel, "code_locked", actor, title=N_("Pick-up code locked"), detail={"tries": terms.code_tries})


def forget_tries(parcel: Parcel) -> None:
    """Let the code be tried again from the beginning; under the parcel's lock."""
    terms = terms_of(parcel.id)
    terms.code_tries, terms.code_locked_at = 0, None
    drop_tasks(parcel, TaskKind.CODE_LOCKED)


def check_code(parcel_id: UUID, typed: str, *, field: str = "code") -> None:
    """Raises Refused for a wrong code and Conflict for a locked one. Call with no transaction open: the count must stay."""
    if not code_fits(parcel_id, typed):
        raise Refused("wrong-code", N_("This is not the pick-up code of the parcel."), field=field)


@use_case
def unlock_code(actor: Actor, parcel_id: UUID, command: object) -> None:
    """A supervisor unlocks: the applicant gets a new code, the old one is void. Raises NotAllowed, Refused."""
    parcel = lock(Parcel, parcel_id, seen=getattr(command, "version", None))
    if Part.SUPERVISOR not in must_see_parcel(actor, parcel):
        raise NotAllowed
    if not is_locked(parcel.id) and parcel.track_locked_until is None:
        raise Refused("not-locked", N_("The pick-up code is not locked."))
    forget_tries(parcel)
    parcel.track_tries, parcel.track_locked_until = 0, None
    parcel.pickup_code = f"{secrets.randbelow(1_000_000):06d}"
    record(
        parcel,
        "code_unlocked",
        actor,
        title=N_("Pick-up code unlocked, new code sent"),
        reason=str(getattr(command, "reason", "")),
    )
    notify(
        to_user=parcel.applicant_user_id, kind="delivery.new-code", thread_id=parcel.thread_id, link=f"/parcels/{parcel.id}",
        subject=N_("New pick-up code for parcel %(number)s"),
        text=N_("Pick-up code %(code)s. The earlier one is void. Tell it to nobody but the courier."),
        params={"number": parcel.number, "code": parcel.pickup_code},
    )  # fmt: skip
