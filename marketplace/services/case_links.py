"""The link from an approval case to the procurement that serves it: a signed token, so that nobody attaches to others' cases.

The domain above hands the token to the case's applicant; the publish form sends it back. It names the case, its journey
and the one organisation that may use it.
"""

import hashlib
from dataclasses import replace
from typing import Final
from uuid import UUID

from flask import current_app
from itsdangerous import BadSignature, URLSafeSerializer

from app.kernel.access import Actor
from app.kernel.errors import Refused
from app.kernel.words import N_
from marketplace.services.commands import NoticeDraft

SALT: Final = "chaoshi.case-link"


def case_link(case_subject: str, thread_id: UUID, owner_organisation_id: UUID) -> str:
    """The token with which this organisation may link a procurement to this case."""
    return str(_serializer().dumps([case_subject, thread_id.hex, owner_organisation_id.hex]))


def linked(actor: Actor, command: NoticeDraft, token: str | None) -> NoticeDraft:
    """The draft linked to the case of `token`, unchanged without one. Raises Refused for a token that is not this actor's."""
    if not token:
        return command
    try:
        case_subject, thread, owner = _serializer().loads(token)
    except (BadSignature, ValueError) as bad:
        raise _not_yours() from bad
    if actor.organisation_id is None or actor.organisation_id.hex != owner:
        raise _not_yours()
    return replace(command, case_subject=case_subject, thread_id=UUID(hex=thread))


def _not_yours() -> Refused:
    return Refused(
        "case-link", N_("This link to a case is not valid for your organisation. Open it again from the case.")
    )


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(
        current_app.config["SECRET_KEY"], salt=SALT, signer_kwargs={"digest_method": hashlib.sha256}
    )
