"""Finding the parcel that a scan means, and saying what to do when it means none."""

from typing import Final
from uuid import UUID

import sqlalchemy as sa

from app.identity import queries as identity
from app.kernel.db import db, lock
from app.kernel.errors import Refused
from delivery import rules
from delivery.errors import not_on_list, of_another_hall, old_label
from delivery.models.parcels import Parcel
from delivery.models.waybills import Waybill
from delivery.scans import is_misread, near, right_digit
from delivery.states import ParcelState

_AT_REST: Final = (ParcelState.CLOSED, ParcelState.CANCELLED)
MOST_COMPARED: Final = 5000


def find_scanned(hall_organisation_id: UUID, raw: str) -> Parcel:
    """The hall's parcel that a scan means, locked. Call inside a transaction.

    Raises Refused, with what to do: a label of an earlier round, a parcel of another hall, a damaged or misread code
    (with the codes that it may have meant in `suggestions`).
    """
    code = rules.normal_scan(raw)
    if not code:
        raise not_on_list(raw[:40])
    wanted = sa.or_(Parcel.waybill_no == code, Parcel.number == code, Parcel.seal_no == code)
    found = db.session.scalar(
        sa.select(Parcel.id)
        .where(Parcel.hall_organisation_id == hall_organisation_id, wanted)
        .order_by(Parcel.state.in_(_AT_REST), Parcel.created_at.desc())
        .limit(1)
    )
    if found is None:
        raise _refusal(hall_organisation_id, code)
    return lock(Parcel, found)


def _refusal(hall_organisation_id: UUID, code: str) -> Refused:
    spent = db.session.execute(
        sa.select(Parcel.number, Parcel.waybill_no)
        .join(Waybill, Waybill.parcel_id == Parcel.id)
        .where(Waybill.waybill_no == code, Parcel.hall_organisation_id == hall_organisation_id)
    ).first()
    if spent is not None:
        return old_label(code, spent.waybill_no or spent.number)
    elsewhere = db.session.scalar(
        sa.select(Parcel.hall_organisation_id).where(sa.or_(Parcel.waybill_no == code, Parcel.number == code)).limit(1)
    )
    if elsewhere is not None:
        return of_another_hall(code, identity.organisation_name(elsewhere))
    return not_on_list(code, suggestions=_suggestions(hall_organisation_id, code), misread=is_misread(code))


def _suggestions(hall_organisation_id: UUID, code: str) -> tuple[str, ...]:
    """Codes of parcels under way that are near; the one with the right check digit goes first."""
    rows = db.session.execute(
        sa.select(Parcel.waybill_no, Parcel.number, Parcel.seal_no)
        .where(Parcel.hall_organisation_id == hall_organisation_id, Parcel.state.not_in(_AT_REST))
        .order_by(Parcel.created_at.desc())
        .limit(MOST_COMPARED)
    )
    known = {each for row in rows for each in row if each}
    exact = right_digit(code)
    found = near(code, known)
    return (exact, *(each for each in found if each != exact)) if exact in known and exact else found
