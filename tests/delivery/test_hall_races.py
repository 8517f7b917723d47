"""Two people of a hall on the same thing at the same moment: one wins, the other is told why, nothing is half done."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from app.kernel.access import SYSTEM, Role
from app.kernel.commands import Plain, WithReason
from app.kernel.db import db
from app.kernel.errors import DomainError
from app.kernel.timeline import TimelineRecord
from delivery import services
from delivery.carriers import chosen
from delivery.carriers.simulated import SimulatedCarrier
from delivery.models.batches import HandoverBatch, HandoverLine
from delivery.models.custody import CustodyStep
from delivery.models.desk import Claim, HallDay
from delivery.models.differences import HandoverDifference
from delivery.models.settlement import CarrierBill
from delivery.queries.hall_days import on_shelves
from delivery.services import OfferBatch, Pack, TakeOver
from delivery.services.addresses import ChangeAddress, change_address
from delivery.services.batches import RemoveFromBatch, remove_from_batch
from delivery.services.claims import FileClaim, file_claim
from delivery.services.differences import ResolveDifference, resolve_difference
from delivery.services.hall_days import CountDay, count_day, sign_day
from delivery.services.merging import Merge, merge, settle_along
from delivery.services.orders import give_up
from delivery.services.settlement import compare_bill, confirm_bill, countersign_bill
from tests.builders import a_member
from tests.delivery.builders import (
    Hall,
    a_hall,
    a_handed_over_parcel,
    a_packed_parcel,
    a_waybilled_parcel,
    an_ordered_parcel,
    hand_over,
    parcel,
    receiver,
)
from tests.delivery.test_hall_day import a_lost_parcel
from tests.delivery.test_settlement import a_bill, rates
from tests.together import together

pytestmark = [pytest.mark.postgresql, pytest.mark.races]


@pytest.fixture
def hall(app: Flask) -> Iterator[Hall]:
    with chosen.using(SimulatedCarrier()):
        yield a_hall()


def race(app: Flask, *works: Callable[[], Any]) -> tuple[list[int], list[DomainError]]:
    """Let them start together; who won by position, and the refusals of the others, each of which says 409."""
    answers = together(app, lambda number: works[number](), workers=len(works))
    refused = [each for each in answers if isinstance(each, DomainError)]
    strange = [each for each in answers if isinstance(each, Exception) and each not in refused]
    assert not strange, strange
    return [number for number, each in enumerate(answers) if not isinstance(each, Exception)], refused


def one_won(app: Flask, *works: Callable[[], Any]) -> tuple[int, DomainError]:
    won, refused = race(app, *works)
    assert len(won) == 1, refused
    (refusal,) = refused
    assert refusal.status == 409, refusal
    return won[0], refusal


def steps(object_id: UUID, action: str) -> int:
    """How often a step stands in the timeline of an object."""
    where = (TimelineRecord.object_id == str(object_id), TimelineRecord.action == action)
    return db.session.scalar(sa.select(sa.func.count()).select_from(TimelineRecord).where(*where)) or 0


def a_ready_parcel(hall: Hall) -> UUID:
    parcel_id = an_ordered_parcel(hall)
    services.contents_ready(SYSTEM, parcel_id)
    return parcel_id


def test_two_pack_one_parcel_and_one_seal_closes_one(app: Flask, hall: Hall) -> None:
    first, second = a_ready_parcel(hall), a_ready_parcel(hall)
    packers = (hall.packer, hall.checker)
    won, _ = one_won(app, *(lambda n=n: services.pack(packers[n], first, Pack(f"FQ{n}", 120, True)) for n in (0, 1)))
    assert (parcel(first).packed_by, parcel(first).seal_no) == (packers[won].user_id, f"FQ{won}")
    assert steps(first, "pack") == 1
    assert db.session.scalar(sa.select(sa.func.count(CustodyStep.id)).where(CustodyStep.kind == "taken_to_pack")) == 1
    third = a_ready_parcel(hall)
    won_by, refused = race(
        app, *(lambda each=each: services.pack(hall.packer, each, Pack("FQ9", 120, True)) for each in (second, third))
    )
    assert (len(won_by), [each.code for each in refused]) == (1, ["seal-used"])
    assert sorted(parcel(each).state for each in (second, third)) == ["packed", "ready"]


def test_two_confirm_one_packing(app: Flask, hall: Hall) -> None:
    parcel_id = a_packed_parcel(hall)
    checkers = (hall.checker, hall.supervisor)
    won, _ = one_won(app, *(lambda who=who: services.check_packing(who, parcel_id, None) for who in checkers))
    found = parcel(parcel_id)
    assert (found.state, found.checked_by, found.rounds) == ("booking", checkers[won].user_id, 1)
    assert steps(parcel_id, "check") == 1


def test_two_lists_scan_one_parcel(app: Flask, hall: Hall) -> None:
    parcel_id = a_waybilled_parcel(hall)
    number = parcel(parcel_id).waybill_no or ""
    lists = [services.open_batch(who) for who in (hall.packer, hall.checker)]
    won, refusal = one_won(
        app,
        *(lambda each=each: services.add_to_batch(hall.packer, each, services.AddToBatch(number)) for each in lists),
    )
    assert refusal.code == "already-listed"
    assert db.session.scalars(sa.select(HandoverLine.batch_id)).all() == [lists[won]]


def test_a_line_is_taken_off_while_the_list_is_signed(app: Flask, hall: Hall) -> None:
    """Either the line is gone and the hall's count no longer agrees, or the list is signed and cannot be changed."""
    parcels = [a_waybilled_parcel(hall) for _ in range(2)]
    batch_id = services.open_batch(hall.packer)
    for each in parcels:
        services.add_to_batch(hall.packer, batch_id, services.AddToBatch(parcel(each).waybill_no or ""))
    won, refused = race(
        app,
        lambda: services.offer_batch(hall.packer, batch_id, OfferBatch(2)),
        lambda: remove_from_batch(hall.checker, batch_id, RemoveFromBatch(parcels[0])),
    )
    lines = db.session.scalar(sa.select(sa.func.count(HandoverLine.id)))
    assert (won, lines, [each.code for each in refused]) in (([0], 2, ["list-signed"]), ([1], 1, ["count-differs"]))


def test_the_list_is_taken_over_while_it_is_reopened(app: Flask, hall: Hall) -> None:
    parcel_id = a_waybilled_parcel(hall)
    batch_id = services.open_batch(hall.packer)
    services.add_to_batch(hall.packer, batch_id, services.AddToBatch(parcel(parcel_id).waybill_no or ""))
    services.offer_batch(hall.packer, batch_id, OfferBatch(1))
    won, _ = one_won(
        app,
        lambda: services.take_over(hall.checker, batch_id, TakeOver("王强", "33010088", 1)),
        lambda: services.reopen_batch(hall.packer, batch_id, WithReason("漏扫一件")),
    )
    batch = db.session.get_one(HandoverBatch, batch_id)
    assert (batch.state, parcel(parcel_id).state) == [("taken_over", "handed_over"), ("open", "waybilled")][won]


def test_two_clear_up_one_difference(app: Flask, hall: Hall) -> None:
    missing = a_waybilled_parcel(hall)
    batch_id = hand_over(hall, a_waybilled_parcel(hall), missing, missing=(missing,))
    answers = (("with_carrier", hall.packer), ("lost", hall.supervisor))
    won, refusal = one_won(
        app,
        *(
            lambda what=what, who=who: resolve_difference(who, batch_id, ResolveDifference(missing, what, "核对后"))
            for what, who in answers
        ),
    )
    assert refusal.code == "difference-settled"
    found = db.session.scalars(sa.select(HandoverDifference)).one()
    assert (found.resolution, found.resolved_by) == (answers[won][0], answers[won][1].user_id)
    assert parcel(missing).state == ("handed_over", "lost")[won]
    assert steps(missing, "difference_settled") == 1


def test_a_day_is_signed_while_a_parcel_leaves(app: Flask, hall: Hall) -> None:
    """A signed day says what lay there at its signature; a parcel that left before it makes the signature wait."""
    parcel_id = a_waybilled_parcel(hall)
    batch_id = services.open_batch(hall.packer)
    services.add_to_batch(hall.packer, batch_id, services.AddToBatch(parcel(parcel_id).waybill_no or ""))
    services.offer_batch(hall.packer, batch_id, OfferBatch(1))
    reasons = {"waybilled": "待揽收", "lists": "揽投员未到"}
    day_id = count_day(hall.packer, CountDay(on_shelves(hall.id), reasons))
    won, refused = race(
        app,
        lambda: sign_day(hall.supervisor, day_id, Plain()),
        lambda: services.take_over(hall.checker, batch_id, TakeOver("王强", "33010088", 1)),
    )
    day = db.session.get_one(HallDay, day_id)
    left = parcel(parcel_id)
    assert left.state == "handed_over"
    if won == [1]:
        assert ([each.code for each in refused], day.state) == (["shelves-changed"], "counted")
    else:
        assert day.state == "signed"
        assert day.signed_at is not None and left.handed_over_at is not None
        assert day.signed_at <= left.handed_over_at


def test_one_claim_for_one_loss(app: Flask, hall: Hall) -> None:
    parcel_id = a_lost_parcel(hall)
    command = FileClaim("lost", 30000, "邮件在处理中心遗失")
    _, refusal = one_won(app, *(lambda: file_claim(hall.supervisor, parcel_id, command) for _ in range(2)))
    assert refusal.code == "claim-stands"
    assert db.session.scalar(sa.select(sa.func.count(Claim.id))) == 1


@pytest.mark.parametrize("cancelled", ["member", "main"])
def test_parcels_are_put_together_while_one_is_cancelled(app: Flask, hall: Hall, cancelled: str) -> None:
    main, member = a_ready_parcel(hall), a_ready_parcel(hall)
    target = {"main": main, "member": member}[cancelled]
    before = parcel(main).contents
    won, refused = race(
        app,
        lambda: merge(hall.packer, member, Merge(main)),
        lambda: give_up(SYSTEM, target, "改为窗口领取"),
    )
    assert all(each.status == 409 for each in refused)
    if won == [0, 1]:  # put in first, then the envelope was cancelled: what lay in it comes out again
        settle_along(main)
    apart = cancelled == "main" or won == [1]
    states = {"main": parcel(main).state, "member": parcel(member).state}
    assert states == (
        {"main": "ready", "member": "ready"} | {cancelled: "cancelled"}
        if apart
        else {"main": "ready", "member": "merged"}
    )
    assert (parcel(main).contents == before, parcel(member).merged_into_id) == (
        (True, None) if apart else (False, main)
    )


def test_two_supervisors_countersign_one_bill(app: Flask, hall: Hall) -> None:
    operator = a_member(Role.OPERATOR, name="高文")
    rates(operator)
    bill_id = a_bill(operator, hall, (parcel(a_handed_over_parcel(hall)).waybill_no or "", "12.00"))
    compare_bill(operator, bill_id, Plain())
    operators = (operator, a_member(Role.OPERATOR, name="林青"))
    won, _ = one_won(app, *(lambda who=who: confirm_bill(who, bill_id, Plain()) for who in operators))
    supervisors = (hall.supervisor, a_member(Role.POSTAL_SUPERVISOR, hall.id, "方明"))
    signed, _ = one_won(app, *(lambda who=who: countersign_bill(who, bill_id, Plain()) for who in supervisors))
    bill = db.session.get_one(CarrierBill, bill_id)
    assert (bill.state, bill.confirmed_name, bill.countersigned_by) == (
        "agreed", operators[won].name, supervisors[signed].user_id,
    )  # fmt: skip
    assert (steps(bill_id, "confirm"), steps(bill_id, "countersign")) == (1, 1)


def test_the_address_changes_while_the_parcel_is_put_on_a_list(app: Flask, hall: Hall) -> None:
    """Never a parcel on a list whose label shows another address."""
    parcel_id = a_waybilled_parcel(hall)
    number = parcel(parcel_id).waybill_no or ""
    batch_id = services.open_batch(hall.packer)
    elsewhere = ChangeAddress(receiver("解放南路9号"), reason="收件人来电，核对身份证号后四位")
    won, refusal = one_won(
        app,
        lambda: change_address(hall.supervisor, parcel_id, elsewhere),
        lambda: services.add_to_batch(hall.packer, batch_id, services.AddToBatch(number)),
    )
    found, lines = parcel(parcel_id), db.session.scalar(sa.select(sa.func.count(HandoverLine.id)))
    assert (found.state, found.waybill_no, lines) == [("booking", None, 0), ("waybilled", number, 1)][won]
    assert refusal.code == ("wrong-state", "being-handed-over")[won]
