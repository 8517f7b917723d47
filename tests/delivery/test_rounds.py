"""Rounds and what handsets upload: stored once, judged once, nothing lost."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from flask import Flask

from app.documents.register import issued_for
from app.kernel import clock, outbox
from app.kernel.commands import WithReason
from app.kernel.db import db, transaction
from app.kernel.errors import Conflict, IllegalTransition, NotAllowed, NotFound, Refused
from delivery import queries
from delivery.carriers import chosen
from delivery.carriers.simulated import SimulatedCarrier
from delivery.doorstep import CodeCheck, FailReason, IdType, NextStep, RecordKind, Signer
from delivery.models.mandates import LetterScope
from delivery.models.proofs import DoorRecord
from delivery.models.rounds import CourierRound, RoundStop
from delivery.services import codes, rounds
from delivery.services.mandates import GrantLetter, grant_letter
from delivery.services.rounds import AddStop, EndRound, PlanRound, StopOf, TryCode, UnlockCode
from delivery.services.stop_order import OrderStops, order_stops
from delivery.services.terms import terms_of
from delivery.worklist import worklist
from tests.delivery.builders import a_hall, a_handed_over_parcel, a_waybilled_parcel, parcel, tasks
from tests.delivery.rounds_builders import (
    Carried,
    a_courier,
    a_round,
    an_own_parcel,
    delivered,
    failed,
    many_own_parcels,
    upload,
)

pytestmark = pytest.mark.usefixtures("app")
MORNING = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _morning(clock_at: Callable[[datetime], None]) -> None:
    clock_at(MORNING)


def own_round(who_may_sign: str = "self", count: int = 1) -> Carried:
    hall = a_hall()
    parcels = tuple(an_own_parcel(hall, who_may_sign=who_may_sign) for _ in range(count))
    return a_round(hall, a_courier(hall), *parcels)


def records() -> list[DoorRecord]:
    db.session.rollback()
    return list(db.session.scalars(sa.select(DoorRecord).order_by(DoorRecord.number)))


def stop(carried: Carried, parcel_id: UUID) -> RoundStop:
    db.session.rollback()
    where = (RoundStop.round_id == carried.id, RoundStop.parcel_id == parcel_id)
    return db.session.execute(sa.select(RoundStop).where(*where).execution_options(populate_existing=True)).scalar_one()


# --- rounds ---


def test_planned_set_out_and_ended_with_a_key_that_dies() -> None:
    hall = a_hall()
    courier, one = a_courier(hall), an_own_parcel(hall)
    assert parcel(one).waybill_no.startswith("ZS-")  # type: ignore[union-attr]
    carried = a_round(hall, courier, one, out=False)
    before = queries.carried_round(carried.id, courier)
    assert (before.key, before.stops[0].name, before.stops[0].mobile) == (None, "李**", "")
    assert [(each.number, each.href) for each in worklist(courier)] == [("TD-2026-000001", "/handset/")]
    rounds.set_out(courier, carried.id)
    bundle = queries.carried_round(carried.id, courier)
    assert len(bundle.key or "") == 44
    assert (bundle.stops[0].name, bundle.stops[0].mobile) == ("李晓燕", "13912345678")
    assert parcel(one).observed_status == "out_for_delivery"
    rounds.set_out(courier, carried.id)
    assert queries.carried_round(carried.id, courier).key == bundle.key  # a repeat hands out the same
    rounds.finish(courier, carried.id)
    rounds.finish(courier, carried.id)
    assert db.session.get(CourierRound, carried.id, populate_existing=True).storage_key is None  # type: ignore[union-attr]
    assert stop(carried, one).outcome == "taken_off"
    assert [each.id for each in queries.parcels_without_round(hall.packer)] == [one]
    with pytest.raises(IllegalTransition):
        rounds.set_out(courier, carried.id)


def test_a_parcel_lies_on_one_round_and_only_when_it_is_with_the_courier() -> None:
    hall = a_hall()
    courier, one = a_courier(hall), an_own_parcel(hall)
    with chosen.using(SimulatedCarrier()):
        early = a_waybilled_parcel(hall)
    carried = a_round(hall, courier, one, out=False)
    for parcel_id, code in ((one, "on-another-round"), (early, "not-with-courier")):
        with pytest.raises(Conflict) as refusal:
            rounds.plan_round(hall.packer, PlanRound(courier.user_id, clock.today(), (parcel_id,)))  # type: ignore[arg-type]
        assert refusal.value.code == code
    assert db.session.scalar(sa.select(sa.func.count()).select_from(CourierRound)) == 1
    second = an_own_parcel(hall)
    scanned = parcel(second).waybill_no or ""
    assert rounds.add_stop(hall.packer, carried.id, AddStop(scanned)) == second
    assert rounds.add_stop(hall.packer, carried.id, AddStop(scanned)) == second
    order_stops(courier, carried.id, OrderStops((second, uuid4())))
    assert [each.parcel_id for each in queries.carried_round(carried.id, courier).stops] == [second, one]
    rounds.take_off(hall.packer, carried.id, StopOf(one))
    assert [each.parcel_id for each in queries.carried_round(carried.id, courier).stops] == [second]
    rounds.cancel_round(hall.packer, carried.id, WithReason("今日无人投递"))
    assert {each.id for each in queries.parcels_without_round(hall.packer)} == {one, second}


def test_strangers_neither_plan_nor_carry() -> None:
    carried = own_round()
    other_hall = a_hall()
    other = a_courier(carried.hall, "另一投递员")
    with pytest.raises(Refused) as refusal:
        rounds.plan_round(carried.hall.packer, PlanRound(other_hall.packer.user_id, clock.today(), carried.parcels))  # type: ignore[arg-type]
    assert refusal.value.code == "no-courier"
    with pytest.raises(NotAllowed):
        rounds.plan_round(other, PlanRound(other.user_id, clock.today(), carried.parcels))  # type: ignore[arg-type]
    for actor in (other, other_hall.supervisor, carried.hall.applicant):
        with pytest.raises(NotFound):
            queries.carried_round(carried.id, actor)
        with pytest.raises((NotFound, NotAllowed)):
            rounds.finish(actor, carried.id)
    foreign = replace(carried, courier=other)
    (outcome,) = upload(foreign, delivered(carried, carried.parcels[0]))
    assert (outcome.result, outcome.code) == ("refused", "not-found")
    assert records() == []
    rounds.end_for_courier(carried.hall.supervisor, carried.id, EndRound("手持机损坏"))
    assert queries.round_view(carried.id, carried.hall.supervisor).state == "done"


# --- what is uploaded ---


def test_a_sound_delivery_of_our_own_moves_the_parcel() -> None:
    carried = own_round()
    (one,) = carried.parcels
    (outcome,) = upload(carried, delivered(carried, one))
    assert (outcome.result, outcome.standing, outcome.doubts) == ("stored", "counted", ())
    row = parcel(one)
    assert (row.state, row.observed_status, row.signer_class, row.signer_name) == (
        "delivered", "delivered", "in_person", "李晓燕",
    )  # fmt: skip
    assert row.delivered_at == MORNING
    assert row.next_poll_at is None
    assert stop(carried, one).outcome == "delivered"
    assert queries.carried_round(carried.id, carried.courier).stops[0].address == ""  # the handset may forget it
    outbox.drain_all()
    (kept,) = records()
    (paper,) = issued_for(f"door-record:{kept.id}")
    assert dict(paper.facts)["SHA-256 of the signature"] == kept.signature_sha256
    assert "李晓燕" not in str(paper.facts)


def test_the_same_upload_again_changes_nothing() -> None:
    carried = own_round(count=2)
    batch = [delivered(carried, carried.parcels[0]), failed(carried, carried.parcels[1])]
    first = upload(carried, *batch)
    versions = [parcel(each).version for each in carried.parcels]
    again = upload(carried, *reversed(batch))
    assert [each.result for each in first] == ["stored", "stored"]
    assert [(each.id, each.result, each.standing) for each in again] == [
        (batch[1].id, "repeated", first[1].standing),
        (batch[0].id, "repeated", first[0].standing),
    ]
    assert len(records()) == 2
    assert [parcel(each).version for each in carried.parcels] == versions
    changed = replace(batch[0], signer_name="别人")
    (refused,) = upload(carried, changed)
    assert (refused.result, refused.code) == ("refused", "record-id-reused")
    assert records()[0].signer_name == "李晓燕"


def test_one_that_fails_does_not_hold_up_the_others() -> None:
    carried = own_round(count=2)
    broken = delivered(carried, carried.parcels[0], photo=b"\xff\xd8\xff not a picture")
    foreign = replace(delivered(carried, carried.parcels[0]), parcel_id=uuid4())
    sound = delivered(carried, carried.parcels[1])
    outcomes = upload(carried, broken, foreign, sound)
    assert [each.result for each in outcomes] == ["refused", "refused", "stored"]
    assert [parcel(each).state for each in carried.parcels] == ["handed_over", "delivered"]
    assert [row.id for row in records()] == [sound.id]


def test_two_couriers_deliver_the_same_parcel_offline() -> None:
    first = own_round()
    (one,) = first.parcels
    early = delivered(first, one)  # made while the stop was the first courier's
    rounds.take_off(first.hall.packer, first.id, StopOf(one))
    second = a_round(first.hall, a_courier(first.hall, "第二人"), one)
    assert upload(second, delivered(second, one, signer_name="李晓燕"))[0].standing == "counted"
    version = parcel(one).version
    (outcome,) = upload(first, early)
    assert (outcome.result, outcome.standing) == ("stored", "conflict")
    assert tasks(one) == ["two_deliveries"]
    assert (parcel(one).state, parcel(one).version) == ("delivered", version)
    shown = queries.proofs_of(one, first.hall.supervisor)
    assert [(each.courier_name, each.standing) for each in shown] == [("第二人", "counted"), ("韩立冬", "conflict")]
    assert all(each.shows_photo and each.shows_signature for each in shown)  # both proofs are kept
    assert upload(second, failed(second, one))[0].standing == "late"


@pytest.mark.parametrize(
    ("facts", "doubt"),
    [
        ({"signer": Signer.FAMILY, "signer_name": "李父"}, "signer_not_allowed"),
        ({"signer": Signer.UNATTENDED, "signature": None, "code": None}, "unattended"),
        ({"signer": Signer.AGENT, "id_type": "resident_card", "id_last4": "123X"}, "signer_not_allowed"),
        ({"code": None}, "not_identified"),
        ({"signature": None}, "no_signature"),
    ],
)
def test_what_does_not_prove_a_delivery_becomes_a_task(facts: dict[str, object], doubt: str) -> None:
    carried = own_round()
    (one,) = carried.parcels
    (outcome,) = upload(carried, delivered(carried, one, **facts))
    assert (outcome.result, outcome.standing) == ("stored", "doubtful")
    assert doubt in outcome.doubts
    assert tasks(one) == ["doubtful_delivery"]
    assert (parcel(one).state, parcel(one).observed_status) == ("handed_over", "delivered")


def test_an_agent_with_code_and_document_counts_where_one_is_allowed() -> None:
    carried = own_round("agent")
    (one,) = carried.parcels
    report = delivered(
        carried, one, signer=Signer.AGENT, signer_name="王芳", id_type=IdType.RESIDENT_CARD, id_last4="123X"
    )
    assert upload(carried, report)[0].standing == "counted"
    assert (parcel(one).state, parcel(one).signer_class, parcel(one).signer_name) == ("delivered", "proxy", "王芳")


@pytest.mark.parametrize(
    ("name", "tail", "later", "standing"),
    [
        ("王建国", "123x", timedelta(0), "counted"),
        ("王建民", "123x", timedelta(0), "doubtful"),
        ("王建国", "1234", timedelta(0), "doubtful"),
        ("王建国", "123x", timedelta(days=2), "doubtful"),
    ],
    ids=["the agent of the letter", "another name", "another document", "a letter that has expired"],
)
def test_only_the_agent_of_the_letter_signs_while_it_is_in_force(
    clock_at: Callable[[datetime], None], name: str, tail: str, later: timedelta, standing: str
) -> None:
    carried = own_round()
    (one,) = carried.parcels
    today = clock.beijing_day(clock.now())
    letter = GrantLetter("王建国", IdType.RESIDENT_CARD, "123X", LetterScope.DOOR, today)
    grant_letter(carried.hall.applicant, one, letter)
    clock_at(clock.now() + later)
    report = delivered(carried, one, signer=Signer.AGENT, signer_name=name, id_type=IdType.RESIDENT_CARD, id_last4=tail)
    (outcome,) = upload(carried, report)
    assert outcome.standing == standing
    assert outcome.doubts == (() if standing == "counted" else ("signer_not_allowed",))
    assert parcel(one).state == ("delivered" if standing == "counted" else "handed_over")


@pytest.mark.parametrize(
    ("reason", "step", "status", "raised"),
    [
        (FailReason.ABSENT, NextStep.TRY_AGAIN, "delivery_failed", []),
        (FailReason.MOVED, NextStep.CALL, "delivery_failed", ["delivery_failed"]),
        (FailReason.COLLECTS, NextStep.KEEP, "available_for_pickup", []),
        (FailReason.REFUSED, NextStep.RETURN, "returning", ["returning"]),
    ],
)
def test_a_failed_attempt_and_what_follows_it(
    reason: FailReason, step: NextStep, status: str, raised: list[str]
) -> None:
    carried = own_round()
    (one,) = carried.parcels
    assert upload(carried, failed(carried, one, reason, step))[0].standing == "counted"
    row = parcel(one)
    assert (row.state, row.observed_status, row.failed_attempts) == ("handed_over", status, 1)
    assert tasks(one) == raised
    assert stop(carried, one).outcome == "failed"


def test_tried_again_on_the_same_day() -> None:
    carried = own_round()
    (one,) = carried.parcels
    upload(carried, failed(carried, one))
    assert upload(carried, delivered(carried, one))[0].standing == "counted"
    assert (parcel(one).state, stop(carried, one).outcome) == ("delivered", "delivered")


def test_a_parcel_of_the_carrier_waits_for_the_carriers_word() -> None:
    hall = a_hall()
    with chosen.using(SimulatedCarrier()):
        one = a_handed_over_parcel(hall)
    carried = a_round(hall, a_courier(hall), one)
    assert parcel(one).observed_status == "label_created"  # setting out says nothing in the carrier's name
    (outcome,) = upload(carried, delivered(carried, one))
    assert outcome.standing == "evidence"
    assert (parcel(one).state, parcel(one).observed_status) == ("handed_over", "label_created")
    assert parcel(one).next_poll_at == clock.now()


# --- codes ---


def test_five_wrong_codes_lock_and_a_supervisor_unlocks() -> None:
    carried = own_round()
    (one,) = carried.parcels
    right = parcel(one).pickup_code
    wrong = f"{(int(right) + 1) % 1_000_000:06d}"
    answers = [rounds.try_code(carried.courier, carried.id, one, TryCode(wrong)) for _ in range(5)]
    assert [each.tries_left for each in answers] == [4, 3, 2, 1, 0]
    assert [each.is_locked for each in answers] == [False, False, False, False, True]
    locked = rounds.try_code(carried.courier, carried.id, one, TryCode(right))
    assert (locked.check, locked.is_locked) == (CodeCheck.WRONG, True)
    assert tasks(one) == ["code_locked"]
    (outcome,) = upload(carried, delivered(carried, one))
    assert (outcome.standing, outcome.doubts) == ("doubtful", ("code_locked",))
    assert parcel(one).state == "handed_over"
    with pytest.raises(NotAllowed):
        rounds.unlock_code(carried.hall.packer, carried.id, UnlockCode(one, "已电话核实"))
    rounds.unlock_code(carried.hall.supervisor, carried.id, UnlockCode(one, "已电话核实"))
    assert rounds.try_code(carried.courier, carried.id, one, TryCode(right)).check is CodeCheck.RIGHT
    with pytest.raises(Refused):
        rounds.unlock_code(carried.hall.supervisor, carried.id, UnlockCode(one, "再次"))


def test_wrong_codes_at_the_door_and_on_the_web_count_together() -> None:
    carried = own_round()
    (one,) = carried.parcels
    right = parcel(one).pickup_code
    wrong = f"{(int(right) + 1) % 1_000_000:06d}"
    for _ in range(3):
        rounds.try_code(carried.courier, carried.id, one, TryCode(wrong))
    assert codes.code_fits(one, wrong) is False
    assert rounds.try_code(carried.courier, carried.id, one, TryCode(wrong)).is_locked
    with pytest.raises(Conflict) as locked:
        codes.code_fits(one, right)
    assert (locked.value.code, tasks(one)) == ("code-locked", ["code_locked"])
    codes.unlock_code(carried.hall.supervisor, one, None)
    assert rounds.try_code(carried.courier, carried.id, one, TryCode(right)).check is CodeCheck.WRONG
    assert rounds.try_code(carried.courier, carried.id, one, TryCode(parcel(one).pickup_code)).check is CodeCheck.RIGHT
    assert terms_of(one).code_tries == 0


def test_a_handset_locks_offline_and_says_so_later() -> None:
    carried = own_round()
    (one,) = carried.parcels
    report = replace(failed(carried, one), kind=RecordKind.CODE_LOCKED, reason=None, next_step=None)
    assert upload(carried, report)[0].standing == "evidence"
    assert tasks(one) == ["code_locked"]
    assert queries.carried_round(carried.id, carried.courier).stops[0].is_locked


def test_a_code_that_passed_the_hint_but_is_wrong_does_not_count() -> None:
    carried = own_round()
    (one,) = carried.parcels
    (outcome,) = upload(carried, delivered(carried, one, code="000001", id_type=IdType.PASSPORT, id_last4="9K21"))
    assert (outcome.standing, outcome.doubts) == ("doubtful", ("code_wrong",))
    assert terms_of(one).code_tries == 1


# --- clocks ---


def test_clocks_are_noted_and_put_right(clock_at: Callable[[datetime], None]) -> None:
    carried = own_round(count=2)
    ahead = timedelta(hours=2)
    made = MORNING + timedelta(hours=3)
    clock_at(MORNING + timedelta(hours=9))
    sent = clock.now() + ahead
    skewed = delivered(carried, carried.parcels[0], device_at=made + ahead, noted_offset=-ahead)
    absurd = delivered(carried, carried.parcels[1], device_at=made - timedelta(days=400), noted_offset=-ahead)
    outcomes = upload(carried, skewed, absurd, sent_at=sent)
    assert [(each.standing, each.doubts) for each in outcomes] == [("counted", ()), ("doubtful", ("time",))]
    row = records()[0]
    assert (row.device_at, row.offset_ms, row.occurred_at, row.is_skewed) == (made + ahead, -7_200_000, made, True)
    assert parcel(carried.parcels[0]).delivered_at == made
    assert parcel(carried.parcels[1]).state == "handed_over"
    assert tasks(carried.parcels[1]) == ["doubtful_delivery"]


# --- what is kept ---


def test_records_are_append_only_but_people_can_be_forgotten(app: Flask) -> None:
    carried = own_round()
    upload(carried, delivered(carried, carried.parcels[0]))
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), transaction() as session:
        session.execute(sa.update(DoorRecord).values(standing="late"))
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), transaction() as session:
        session.execute(sa.delete(DoorRecord))
    with transaction() as session:
        session.execute(sa.update(DoorRecord).values(signer_name=None, id_last4=None, note=None))
    assert records()[0].signer_name is None


def test_a_round_of_two_hundred_is_read_in_few_statements() -> None:
    hall = a_hall()
    courier = a_courier(hall)
    carried = a_round(hall, courier, *many_own_parcels(hall, 30), out=False)
    counted: list[str] = []
    with db.engine.connect() as connection:
        sa.event.listen(connection.engine, "before_cursor_execute", lambda *args: counted.append(args[2]))
        queries.carried_round(carried.id, courier)
    assert len(counted) <= 4  # BEGIN, the round, the rule book, the stops
