"""What every step of a contract shares: the locked row with the actor's parts, and notices to its sides."""

from dataclasses import dataclass
from uuid import UUID

from app.identity.notices import notify
from app.kernel.access import Actor
from app.kernel.db import lock
from app.kernel.errors import NotFound
from app.kernel.words import N_
from marketplace.models.contracts import Contract
from marketplace.policy import contract_parts
from marketplace.states.parts import Part


@dataclass(frozen=True)
class Reasoned:
    """A step with a written reason."""

    reason: str
    version: int | None = None


def link_of(contract: Contract) -> str:
    """The page of the contract."""
    return f"/contracts/{contract.id}"


def locked(actor: Actor, contract_id: UUID, seen: int | None) -> tuple[Contract, frozenset[Part]]:
    """The contract for writing with the actor's parts. Raises NotFound, also for the contract of others, and Outdated."""
    contract = lock(Contract, contract_id)
    held = contract_parts(actor, contract)
    if not held:
        raise NotFound
    return lock(Contract, contract_id, seen=seen), held


def tell(contract: Contract, side: Part, kind: str, subject: str) -> None:
    """Notify one side of the contract; `subject` is a message id with %(number)s."""
    organisation_id = contract.owner_organisation_id if side is Part.OWNER else contract.agency_organisation_id
    notify(
        to_organisation=organisation_id,
        kind=kind,
        subject=subject,
        text=N_("%(title)s (%(number)s). Open the contract to see what is to be done and until when."),
        link=link_of(contract),
        thread_id=contract.thread_id,
        params={"number": contract.number, "title": contract.title},
    )
