"""The pick-up code: compared here only, counted here, locked here. A locked code is opened by a supervisor."""

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
    terms = terms_of(parcel.id)
    if terms.code_locked_at is not None:
        raise locked_code()
    if secrets.compare_digest(rules.normal_scan(typed).encode(), parcel.pickup_code.encode()):
        terms.code_tries = 0
        return True
    terms.code_tries += 1
    if terms.code_tries >= rule_book.in_force().code_tries:
        terms.code_locked_at = clock.now()
        raise_task(parcel, TaskKind.CODE_LOCKED, cause=clock.now().isoformat())
        record(parcel, "code_locked", SYSTEM, title=N_("Pick-up code locked"), detail={"tries": terms.code_tries})
    return False


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
    terms = terms_of(parcel.id)
    if terms.code_locked_at is None and parcel.track_locked_until is None:
        raise Refused("not-locked", N_("The pick-up code is not locked."))
    terms.code_tries, terms.code_locked_at = 0, None
    parcel.track_tries, parcel.track_locked_until = 0, None
    parcel.pickup_code = f"{secrets.randbelow(1_000_000):06d}"
    drop_tasks(parcel, TaskKind.CODE_LOCKED)
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
