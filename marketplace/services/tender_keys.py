"""Opening codes of the holders, and the key of every round of a tender: made at publication, split, and forgotten."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from app.identity.queries import organisation_name
from app.kernel import audit, clock
from app.kernel.access import SYSTEM, Actor, Role
from app.kernel.db import db, new_id, use_case
from app.kernel.errors import Conflict, NotAllowed, Refused
from app.kernel.words import N_
from marketplace.models.procurements import Procurement
from marketplace.models.quotes import HolderKey, QuoteOpening, SealedIn, TenderKey, TenderShare
from marketplace.queries.quotes import holder_keys
from marketplace.rules import opening_keys
from marketplace.rules.opening_keys import Holder
from marketplace.rules.selection.methods import needs_quotes
from marketplace.rules.selection.terms import MethodTerms
from marketplace.services import vault


@dataclass(frozen=True)
class MakeHolderKey:
    """The public half of an organisation's new opening code, 32 bytes."""

    public_key: bytes
    made_in: SealedIn = SealedIn.BROWSER
    version: int | None = None


_HOLDER_OF_ROLE = {Role.OWNER: Holder.OWNER, Role.REGULATOR: Holder.SUPERVISION}


@use_case
def make_holder_key(actor: Actor, command: MakeHolderKey) -> UUID:
    """Give the actor's organisation a new opening code by its public half; shares of later tenders are sealed to it.

    An older code stays good for the tenders that were sealed to it. Raises NotAllowed, Refused for bytes that are no key,
    Conflict for a key that is known already.
    """
    holder = next((holder for role, holder in _HOLDER_OF_ROLE.items() if actor.has(role)), None)
    if holder is None or actor.organisation_id is None:
        raise NotAllowed
    if not opening_keys.is_public_key(command.public_key):
        raise Refused("bad-key", N_("This is no public key of an opening code."), field="public_key")
    if db.session.scalar(select(HolderKey.id).where(HolderKey.public_key == command.public_key)):
        raise Conflict("key-known", N_("This opening code is in use already. Make a new one."))
    now = clock.now()
    present = select(HolderKey).where(
        HolderKey.organisation_id == actor.organisation_id, HolderKey.retired_at.is_(None)
    )
    for old in db.session.scalars(present.with_for_update()).all():
        old.retired_at = now
    row = HolderKey(
        id=new_id(),
        organisation_id=actor.organisation_id,
        holder=holder,
        public_key=command.public_key,
        made_in=command.made_in,
        made_by=actor.user_id,
        made_by_name=actor.name,
        made_at=now,
    )
    db.session.add(row)
    facts = {
        "holder": holder,
        "organisation": organisation_name(actor.organisation_id),
        "fingerprint": opening_keys.fingerprint(command.public_key),
        "made_in": command.made_in,
    }
    audit.append(action="holder_key.make", object_type="holder_key", object_id=row.id, actor=actor, body=facts)
    db.session.flush()
    return row.id


def refuse_without_holders(procurement: Procurement) -> None:
    """Refuse to submit or publish a notice that needs quotes before both human holders have an opening code."""
    if not needs_quotes(procurement.method):
        return
    keys = holder_keys(procurement.owner_organisation_id)
    if not any(key.holder == Holder.OWNER for key in keys):
        raise Refused(
            "opening-code-missing",
            N_("Sealed quotes need an opening code of your organisation. Make it first, then submit the notice."),
        )
    if not any(key.holder == Holder.SUPERVISION for key in keys):
        raise Refused(
            "supervision-code-missing",
            N_("Sealed quotes need an opening code of the supervision. Ask the regulator to make one."),
        )


def make_tender_keys(procurement: Procurement) -> None:
    """Make the key of every round that has none yet, or whose key was opened; in the transaction of the publication."""
    if not needs_quotes(procurement.method):
        return
    refuse_without_holders(procurement)
    holders = holder_keys(procurement.owner_organisation_id)
    known = db.session.scalars(select(TenderKey).where(TenderKey.procurement_id == procurement.id)).all()
    opened = set(
        db.session.scalars(
            select(QuoteOpening.tender_key_id).where(QuoteOpening.tender_key_id.in_([key.id for key in known]))
        )
    )
    usable = {key.round for key in known if key.id not in opened}
    number = len(known)
    for round_ in range(1, MethodTerms.from_json(procurement.method_terms).rounds + 1):
        if round_ in usable:
            continue
        number += 1
        _make_tender_key(procurement, round_, f"{procurement.number}-B{number}", holders)


def _make_tender_key(procurement: Procurement, round_: int, code: str, holders: tuple[HolderKey, ...]) -> None:
    made = opening_keys.new_tender_key()
    key = TenderKey(
        id=new_id(),
        procurement_id=procurement.id,
        code=code,
        round=round_,
        public_key=made.public_key,
        made_at=clock.now(),
    )
    db.session.add(key)
    db.session.flush()
    for holder in holders:
        share = made.shares[Holder(holder.holder)]
        sealed = opening_keys.seal_share(holder.public_key, code, holder.holder, share)
        _keep(key, holder.holder, holder.id, sealed, share)
    share = made.shares[Holder.PLATFORM]
    _keep(key, Holder.PLATFORM, None, vault.lock_away(share, f"{code}|{Holder.PLATFORM}"), share)
    facts = {
        "procurement": procurement.number,
        "tender": code,
        "round": round_,
        "public_key": made.public_key.hex(),
        "holders": [f"{holder.holder} {opening_keys.fingerprint(holder.public_key)}" for holder in holders],
    }
    audit.append(
        action="tender_key.make", object_type="procurement", object_id=procurement.id, actor=SYSTEM, body=facts
    )


def _keep(key: TenderKey, holder: str, holder_key_id: UUID | None, sealed: bytes, share: bytes) -> None:
    digest = opening_keys.share_digest(key.code, holder, share)
    db.session.add(
        TenderShare(tender_key_id=key.id, holder=holder, holder_key_id=holder_key_id, sealed=sealed, digest=digest)
    )
