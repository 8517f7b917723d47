"""Who may subscribe: members of an organisation for their own; the operator for the whole platform."""

from collections.abc import Mapping
from typing import Final

from app.kernel.access import Actor, Role
from app.kernel.errors import NotFound
from app.webhooks.models import WebhookEndpoint
from app.webhooks.states import Part

MANAGE: Final = "webhooks:manage"
GRANTS: Final[Mapping[Role, frozenset[str]]] = {
    role: frozenset({MANAGE}) for role in (Role.OWNER, Role.AGENCY, Role.OPERATOR)
}


def parts_seen(actor: Actor, endpoint: WebhookEndpoint) -> frozenset[Part]:
    """What the actor is towards an address; raises NotFound for everybody outside its organisation."""
    if actor.is_system:
        return frozenset({Part.SYSTEM})
    if not actor.may(MANAGE) or actor.organisation_id != endpoint.organisation_id:
        raise NotFound
    return frozenset({Part.MEMBER})
