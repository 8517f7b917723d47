"""The demonstration is played through the services: whatever it leaves must be true, balanced and provable."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest
import sqlalchemy as sa
from flask import Flask

from app.demo.examination import examine
from app.demo.names import Names
from app.demo.seed import World, is_empty, seed_world
from app.demo.year_report import write_report, year
from app.kernel import audit
from app.kernel.db import db
from app.kernel.timeline import TimelineRecord
from delivery.models.parcels import Parcel
from delivery.models.reports import CarrierEvent
from marketplace.models.contracts import Contract
from marketplace.models.listings import Listing
from marketplace.models.procurements import Procurement
from marketplace.rules.draw import is_credit_code
from payments.models.bills import Bill
from payments.models.ledger import LedgerEntry

pytestmark = pytest.mark.journey


def test_a_small_world_is_true(app: Flask, clock_at: Callable[[datetime], None], tmp_path: Path) -> None:
    clock_at(datetime(2026, 11, 20, 8, tzinfo=UTC))  # in so small a world another hour may leave no contract
    assert is_empty()
    counts = seed_world(app, World.of_scale(0.08), quiet=True)
    assert not is_empty()
    assert counts["items"] == 62
    assert counts["agencies"] == 26
    assert counts["offers"] >= 80
    assert counts["contracts"] >= 1
    assert counts["parcels"] >= 1
    assert audit.verify().problems == ()
    assert examine().problems == []
    balance = sa.select(LedgerEntry.currency, sa.func.sum(LedgerEntry.amount_fen)).group_by(LedgerEntry.currency)
    assert {total for _, total in db.session.execute(balance)} == {0}
    unpaid = sa.select(Bill.number).where(Bill.state.in_(("paid", "released")), Bill.paid_at.is_(None))
    assert db.session.scalars(unpaid).all() == []
    wrong = (
        sa.select(Contract.number)
        .join(Procurement, Procurement.id == Contract.procurement_id)
        .where(Contract.state == "running", Procurement.state != "in_service")
    )
    assert db.session.scalars(wrong).all() == []
    shelved = sa.select(sa.func.count()).select_from(Listing).where(Listing.state == "published")
    assert (db.session.scalar(shelved) or 0) >= 70
    too_early = (
        sa.select(Parcel.number)
        .join(CarrierEvent, CarrierEvent.parcel_id == Parcel.id)
        .where(CarrierEvent.occurred_at < Parcel.created_at)
    )
    assert db.session.scalars(too_early).all() == []
    # no step of any journey lies in the future or before its beginning
    first, last = db.session.execute(sa.select(sa.func.min(TimelineRecord.at), sa.func.max(TimelineRecord.at))).one()
    assert 90 <= (last - first).days <= 97
    _the_page_about_it(app, tmp_path / "year.html")


def _the_page_about_it(app: Flask, page: Path) -> None:
    write_report(app, examine(), {"agencies": 26, "purchases": 10, "days": 95, "seconds": 30}, page)
    text = page.read_text(encoding="utf-8")
    assert "未发现问题" in text
    procurements = db.session.scalar(sa.select(sa.func.count()).select_from(Procurement))
    assert sum(count for _, count in year().states) == procurements
    held = db.session.scalar(
        sa.select(-sa.func.sum(LedgerEntry.amount_fen)).where(LedgerEntry.account.startswith("escrow:"))
    )
    assert year().held[-1][1] == held


def test_a_filled_database_is_left_alone(app: Flask) -> None:
    from app.demo.people import engage
    from app.kernel.access import Role
    from marketplace.services.catalogue import load_item_list

    load_item_list(engage(Names(Random(1)), 1, 1).panel[Role.OPERATOR])
    refused = app.test_cli_runner().invoke(args=["demo", "seed"])
    assert refused.exit_code == 1
    assert "not empty" in refused.output
    assert app.test_cli_runner().invoke(args=["demo", "seed", "--if-empty"]).exit_code == 0
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Listing)) == 0


def test_names_are_the_same_for_the_same_seed_and_codes_are_valid() -> None:
    one, two = Names(Random(7)), Names(Random(7))
    assert [one.person() for _ in range(50)] == [two.person() for _ in range(50)]
    codes = [one.credit_code("320106") for _ in range(1500)]
    assert len(set(codes)) == 1500
    assert all(is_credit_code(code) and "MADEM" in code for code in codes)
    assert is_credit_code(one.credit_code("320700", public_body=True))
