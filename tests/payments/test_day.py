"""A small day at the counter with many faults; `python -m benchmarks.day_of_payments` lives through a large one."""

from flask import Flask

from app.kernel.access import Actor
from benchmarks.day_of_payments import DayAtTheCounter
from payments.gateways.stripe import StripeGateway
from payments.simulator.application import Simulator


def test_a_day_ends_with_books_that_equal_the_provider_and_nothing_to_explain(
    app: Flask, gateway: StripeGateway, simulator: Simulator, secret: str, owner: Actor, agency: Actor, operator: Actor
) -> None:
    assert agency.organisation_id is not None
    day = DayAtTheCounter(simulator, owner, agency.organisation_id, operator, payments=14, per_mille=50)
    report = day.run()
    assert report.agrees, report
    assert report.bills["paid"] >= 8
    assert sum(report.bills.values()) == 14
    assert report.provider_fen > 0
    assert report.notices["delivered"] > report.notices["recalled"]
