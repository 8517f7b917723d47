"""Files that support a step of a contract."""

from uuid import UUID

from app.kernel import clock
from app.kernel.access import Actor
from app.kernel.db import db, new_id
from app.kernel.files import Upload, keep
from marketplace.models.contracts import Contract
from marketplace.models.engagement import Evidence


def attach(actor: Actor, contract: Contract, side: str, about: str, about_id: UUID, upload: Upload | None) -> None:
    """Keep a file as evidence of a step, in the caller's transaction; nothing when there is none. Raises what `keep` raises."""
    if upload is None:
        return
    file = keep(upload, actor)
    db.session.add(
        Evidence(
            id=new_id(),
            contract_id=contract.id,
            about=about,
            about_id=about_id,
            file_id=file.id,
            file_name=file.name,
            file_sha256=file.sha256,
            file_size=file.size,
            side=side,
            uploaded_by_name=actor.name,
            uploaded_at=clock.now(),
        )
    )
