"""Parcels at each stage, made through the services, and a hall with its people."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

import sqlalchemy as sa

from app.identity.models import Organisation, OrganisationKind
from app.kernel import clock, outbox
from app.kernel.access import SYSTEM, Actor, Role
from app.kernel.db import db, transaction
from delivery import queries, services
from delivery.models.parcels import Parcel
from delivery.services import OfferBatch, OrderParcel, Pack, Receiver, TakeOver
from tests.builders import a_member, an_organisation


@dataclass(frozen=True)
class Hall:
    """A hall with two clerks of the post, a supervisor and an applicant."""

    id: UUID
    packer: Actor
    checker: Actor
    supervisor: Actor
    centre: Actor
    applicant: Actor


def a_hall() -> Hall:
    hall = an_organisation(OrganisationKind.HALL, "杭州市市民中心政务服务大厅")
    with transaction() as session:
        session.execute(
            sa.update(Organisation)
            .where(Organisation.id == hall)
            .values(region_code="330102", address="解放东路18号", phone="057188880000")
        )
    return Hall(
        hall,
        a_member(Role.POSTAL_STAFF, hall, "周敏"),
        a_member(Role.POSTAL_STAFF, hall, "吴强"),
        a_member(Role.POSTAL_SUPERVISOR, hall, "郑岚"),
        a_member(Role.CERTIFICATE_CENTRE, hall, "钱进"),
        a_member(Role.APPLICANT, name="李晓燕"),
    )


def receiver(address: str = "中山西路2号1幢301室") -> Receiver:
    return Receiver("李晓燕", "13912345678", "浙江省", "宁波市", "海曙区", address)


def an_ordered_parcel(
    hall: Hall, *, address: str = "中山西路2号1幢301室", who_may_sign: str = "self", subject: str = ""
) -> UUID:
    command = OrderParcel(
        thread_id=uuid4(),
        subject=subject or f"letter:{uuid4()}",
        hall_organisation_id=hall.id,
        receiver=receiver(address),
        contents="营业执照正本一份",
        who_may_sign=who_may_sign,
        serve_by=clock.now() + timedelta(days=14),
        applicant_user_id=hall.applicant.user_id,  # type: ignore[arg-type]
    )
    return services.order_parcel(SYSTEM, command)


def a_packed_parcel(hall: Hall, **facts: str) -> UUID:
    parcel_id = an_ordered_parcel(hall, **facts)
    services.contents_ready(SYSTEM, parcel_id)
    services.pack(hall.packer, parcel_id, Pack(f"FQ{uuid4().hex[:8].upper()}", 130, contents_compared=True))
    return parcel_id


def a_checked_parcel(hall: Hall, **facts: str) -> UUID:
    parcel_id = a_packed_parcel(hall, **facts)
    services.check_packing(hall.checker, parcel_id, None)
    return parcel_id


def a_waybilled_parcel(hall: Hall, **facts: str) -> UUID:
    parcel_id = a_checked_parcel(hall, **facts)
    outbox.drain_all()
    return parcel_id


def a_handed_over_parcel(hall: Hall, **facts: str) -> UUID:
    parcel_id = a_waybilled_parcel(hall, **facts)
    hand_over(hall, parcel_id)
    return parcel_id


def hand_over(hall: Hall, *parcel_ids: UUID, missing: tuple[UUID, ...] = ()) -> UUID:
    batch_id = services.open_batch(hall.packer)
    for parcel_id in parcel_ids:
        number = parcel(parcel_id).waybill_no
        assert number
        services.add_to_batch(hall.packer, batch_id, services.AddToBatch(number))
    services.offer_batch(hall.packer, batch_id, OfferBatch(len(parcel_ids)))
    counted = len(parcel_ids) - len(missing)
    services.take_over(hall.checker, batch_id, TakeOver("王强", "33010088", counted, missing))
    outbox.drain_all()
    return batch_id


def parcel(parcel_id: UUID) -> Parcel:
    db.session.rollback()
    found = db.session.get(Parcel, parcel_id, populate_existing=True)
    assert found is not None
    return found


def tasks(parcel_id: UUID) -> list[str]:
    """Kinds of the open tasks of a parcel."""
    rows = db.session.execute(queries.tasks_statement(SYSTEM, parcel_id=parcel_id)).all()
    return sorted(each.kind for each in queries.task_views(rows) if each.resolved_at is None)
