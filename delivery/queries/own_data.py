"""Everything that delivery keeps about one person, for that person (PIPL art. 45, right of access and copy)."""

from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from app.kernel import clock
from app.kernel.access import Actor
from app.kernel.db import Base, db
from delivery import terms as rule_book
from delivery.models.complaints import Complaint
from delivery.models.mandates import LetterOfAuthority
from delivery.models.papers import PapersOrder
from delivery.models.parcels import Parcel
from delivery.models.reports import CarrierEvent
from delivery.models.terms import ParcelTerms

INTERNAL: Final = frozenset(
    {"track_tries", "track_locked_until", "code_tries", "code_locked_at", "link_no", "quiet_polls", "next_poll_at",
     "booking_due_at", "booking_tries", "booking_uncertain", "check_problem", "booking_problem", "packed_by", "checked_by",
     "received_by", "raw", "key", "mapping_version", "due_at", "tries", "problem"}
)  # fmt: skip
"""Bookkeeping of the machine and the names of staff: not the person's data."""


def of(actor: Actor) -> dict[str, Any]:
    """Parcels with their reports and letters, complaints and collections of one person, as plain values."""
    if actor.user_id is None:
        return {}
    parcels = db.session.scalars(
        sa.select(Parcel).where(Parcel.applicant_user_id == actor.user_id).order_by(Parcel.created_at)
    ).all()
    ids = [row.id for row in parcels]
    terms = {row.parcel_id: row for row in _of_parcels(ParcelTerms, ids)}
    reports, letters = _grouped(CarrierEvent, ids), _grouped(LetterOfAuthority, ids)
    return {
        "person": str(actor.user_id), "made_at": clock.now().isoformat(),
        "kept_days_after_the_end": rule_book.in_force().receiver_kept_days,
        "parcels": [
            _plain(row) | {
                "agreed": _plain(terms[row.id]) if row.id in terms else {},
                "reports": [_plain(each) for each in reports.get(row.id, ())],
                "letters_of_authority": [_plain(each) for each in letters.get(row.id, ())],
            }
            for row in parcels
        ],
        "complaints": [_plain(row) for row in _own(Complaint, actor.user_id)],
        "collections_of_originals": [_plain(row) for row in _own(PapersOrder, actor.user_id)],
    }  # fmt: skip


def _of_parcels(model: Any, ids: list[UUID]) -> list[Any]:
    return list(db.session.scalars(sa.select(model).where(model.parcel_id.in_(ids))))


def _grouped(model: Any, ids: list[UUID]) -> dict[UUID, list[Any]]:
    found: dict[UUID, list[Any]] = {}
    for row in _of_parcels(model, ids):
        found.setdefault(row.parcel_id, []).append(row)
    return found


def _own(model: Any, user_id: UUID) -> list[Any]:
    return list(db.session.scalars(sa.select(model).where(model.applicant_user_id == user_id)))


def _plain(row: Base) -> dict[str, Any]:
    values = {
        each.key: getattr(row, each.key) for each in sa.inspect(type(row)).column_attrs if each.key not in INTERNAL
    }
    return {name: _simple(value) for name, value in values.items()}


def _simple(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | str | list | dict):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
