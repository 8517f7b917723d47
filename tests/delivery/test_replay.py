"""Reading stored reports again under another mapping: the trial writes nothing, the real pass everything once."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app.kernel.access import Actor, Role
from app.kernel.db import db
from app.kernel.errors import Conflict, NotAllowed, Refused
from delivery.carriers import chosen
from delivery.carriers.ems import mapping
from delivery.carriers.simulated import SimulatedCarrier
from delivery.models.replays import MappingReplay, ReplayChange, ReplayMode
from delivery.models.reports import CarrierEvent
from delivery.observed import Status
from delivery.services import poll_due
from delivery.services.replay import AskReplay, ask_replay, carry_on
from delivery.states import ParcelState
from tests.builders import a_member, sign_in
from tests.delivery.builders import a_hall, a_handed_over_parcel, parcel, tasks

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
TRIAL = AskReplay(ReplayMode.TRIAL)


@pytest.fixture
def carrier(app: Flask, clock_at: Callable[[datetime], None]) -> Iterator[SimulatedCarrier]:
    clock_at(NOON)
    fake = SimulatedCarrier()
    with chosen.using(fake):
        yield fake


@pytest.fixture
def operator(app: Flask) -> Actor:
    return a_member(Role.OPERATOR, name="运营")


@pytest.fixture
def mended(carrier: SimulatedCarrier, monkeypatch: pytest.MonkeyPatch) -> UUID:
    """A parcel of which an unknown code was the last report; then the table learnt that it means delivered."""
    parcel_id = a_handed_over_parcel(a_hall())
    carrier.report("1000000001460", "702", NOON)
    carrier.report("1000000001460", "QX7", NOON + timedelta(hours=1), opName="新环节")
    assert poll_due() == 1
    assert (parcel(parcel_id).observed_status, tasks(parcel_id)) == ("out_for_delivery", ["unknown_code"])
    table = dict(mapping.codes())
    table["opCode", "QX7"] = mapping.Code("opCode", "QX7", "新环节", Status.RETURNING, "", frozenset(), domestic=True)
    monkeypatch.setattr(mapping, "codes", lambda: table)
    monkeypatch.setattr(mapping, "MAPPING_VERSION", "ems/2")
    return parcel_id


def versions() -> set[str]:
    return set(db.session.scalars(sa.select(CarrierEvent.mapping_version)))


def test_a_trial_finds_what_would_change_and_writes_nothing(mended: UUID, operator: Actor) -> None:
    replay_id = ask_replay(operator, TRIAL)
    with pytest.raises(Conflict):
        ask_replay(operator, TRIAL)
    assert carry_on() == 1
    found = db.session.get(MappingReplay, replay_id)
    assert found
    assert (found.parcels, found.reports, found.changed_reports, found.changed_parcels) == (1, 2, 1, 1)
    assert found.finished_at == NOON
    change = db.session.scalars(sa.select(ReplayChange)).one()
    assert (change.parcel_id, change.status_before, change.status_after, change.codes) == (
        mended,
        "out_for_delivery",
        "returning",
        "QX7",
    )
    assert parcel(mended).observed_status == "out_for_delivery"
    assert versions() == {"ems/1"}


def test_the_real_pass_needs_a_trial_and_a_reason_and_then_acts(mended: UUID, operator: Actor) -> None:
    with pytest.raises(Refused, match="Say why"):
        ask_replay(operator, AskReplay(ReplayMode.REAL, " "))
    with pytest.raises(Refused, match="Run a trial"):
        ask_replay(operator, AskReplay(ReplayMode.REAL, "QX7 登记为退回"))
    ask_replay(operator, TRIAL)
    carry_on()
    ask_replay(operator, AskReplay(ReplayMode.REAL, "QX7 登记为退回"))
    carry_on()
    assert (parcel(mended).observed_status, parcel(mended).state) == ("returning", ParcelState.HANDED_OVER)
    assert "returning" in tasks(mended)
    assert versions() == {"ems/2"}
    ask_replay(operator, TRIAL)
    carry_on()
    last = db.session.scalars(sa.select(MappingReplay).order_by(MappingReplay.id.desc()).limit(1)).one()
    assert (last.changed_reports, last.changed_parcels) == (0, 0), "a second pass finds nothing"


def test_erased_records_stay_as_they_are(mended: UUID, operator: Actor) -> None:
    from app.kernel.db import transaction

    with transaction() as session:
        session.execute(sa.update(CarrierEvent).values(raw={}))
    ask_replay(operator, TRIAL)
    carry_on()
    found = db.session.scalars(sa.select(MappingReplay)).one()
    assert (found.unreadable, found.changed_reports, found.changed_parcels) == (2, 0, 0)


def test_only_the_operator_may(carrier: SimulatedCarrier) -> None:
    with pytest.raises(NotAllowed):
        ask_replay(a_member(Role.REGULATOR), TRIAL)
    assert db.session.scalar(sa.select(sa.func.count(MappingReplay.id))) == 0


def test_the_pages_and_the_command(mended: UUID, operator: Actor, app: Flask, client: FlaskClient) -> None:
    sign_in(client, operator)
    assert "轨迹重新读取" in client.get("/delivery/mapping", headers={"Accept-Language": "zh"}).text
    assert client.post("/delivery/mapping/trial").status_code == 303
    carry_on()
    page = client.get("/delivery/mapping").text
    assert parcel(mended).number in page
    assert "QX7" in page
    assert client.post("/delivery/mapping/real", data={"reason": ""}).status_code == 422
    result = app.test_cli_runner().invoke(args=["delivery", "replay"])
    assert result.exit_code == 0, result.output
    assert "1 parcels, 2 reports, 1 read otherwise, 0 erased, 1 parcels with another status" in result.output
    assert versions() == {"ems/1"}


def test_the_code_table_and_its_version_change_together() -> None:
    """Whoever changes the table raises `MAPPING_VERSION`, so that old readings can be told from new ones."""
    import hashlib
    from importlib import resources

    digest = hashlib.sha256(resources.files("delivery.carriers.ems").joinpath("codes.csv").read_bytes()).hexdigest()[
        :12
    ]
    assert (mapping.MAPPING_VERSION, digest) == ("ems/1", "88161d8c01dd")
