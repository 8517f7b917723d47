"""Two persons on one contract at the same moment: one of them is first, the other is refused, nothing happens twice."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.kernel.commands import Plain
from app.kernel.db import db
from app.kernel.errors import DomainError
from marketplace.jobs.contracts import keep_time_limits
from marketplace.models.contracts import ContractSignature
from marketplace.services import contracts
from marketplace.services.contracts import AcceptDeliverable, OpenDispute, Reasoned
from payments.models.bills import Bill
from tests.marketplace.contract_builders import Clock, Engagement, a_report, at, delivered, drawn_up, signed
from tests.together import together

pytestmark = [pytest.mark.postgresql, pytest.mark.races]


def count(model: type) -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(model)) or 0


def done(answers: list[Any]) -> int:
    """How many were not refused; anything but a refusal of the domain is a failure of the test."""
    assert [a for a in answers if isinstance(a, Exception) and not isinstance(a, DomainError)] == []
    return sum(not isinstance(answer, Exception) for answer in answers)


def silent(clock_at: Clock) -> Engagement:
    """A contract whose deliverable silence is about to accept: both reminders sent, the limit just over."""
    made = delivered(signed(clock_at), at(6, 8))
    for day in (12, 15):
        clock_at(at(6, day))
        keep_time_limits()
    clock_at(at(6, 16))
    return made


def test_both_sides_sign_at_once(app: Flask, clock_at: Clock) -> None:
    made = drawn_up(clock_at)
    signature = made.signature()
    people = [made.agency, made.owner, made.agency, made.owner]
    together(app, lambda n: contracts.sign(people[n], made.id, signature), workers=4)
    if made.state == "to_sign_owner":  # every owner came before the agency and was refused
        contracts.sign(made.owner, made.id, signature)
    assert (made.state, count(ContractSignature), count(Bill)) == ("running", 2, 1)


def test_acceptance_by_hand_and_by_silence(app: Flask, clock_at: Clock) -> None:
    made = silent(clock_at)

    def work(number: int) -> object:
        if number % 2:
            return contracts.accept_by_silence(made.id)
        return contracts.accept(made.owner, made.id, AcceptDeliverable())

    answers = together(app, work, workers=4)
    assert made.state == "accepted"
    assert sum(answer is True or answer is None for answer in answers) == 1, answers
    assert [one.accepted_at for one in made.seen.milestones] == [at(6, 16)]


def test_a_dispute_and_acceptance_by_silence(app: Flask, clock_at: Clock) -> None:
    made = silent(clock_at)
    dispute = OpenDispute("图件比例尺不符")

    def work(number: int) -> object:
        return contracts.accept_by_silence(made.id) if number else contracts.open_dispute(made.owner, made.id, dispute)

    answers = together(app, work, workers=3)
    assert isinstance(answers[0], DomainError), "silence had accepted: too late for a dispute"
    assert (made.state, made.seen.disputes) == ("accepted", ())


def test_a_return_and_a_dispute(app: Flask, clock_at: Clock) -> None:
    made = delivered(signed(clock_at), at(6, 8))

    def work(number: int) -> None:
        if number:
            contracts.return_deliverable(made.owner, made.id, Reasoned("缺少附图"))
        else:
            contracts.open_dispute(made.agency, made.id, OpenDispute("业主无理退回"))

    answers = together(app, work, workers=2)
    assert done(answers) in {1, 2}, answers  # a dispute may follow the return; a return cannot follow the dispute
    assert (made.state, len(made.seen.disputes)) in {("running", 0), ("dispute", 1)}


def test_the_end_by_agreement_and_the_deliverable(app: Flask, clock_at: Clock) -> None:
    made = signed(clock_at)
    contracts.propose_termination(made.agency, made.id, contracts.ProposeTermination("无法进场"))

    def work(number: int) -> None:
        if number:
            contracts.agree_termination(made.owner, made.id, Plain())
        else:
            contracts.deliver(made.agency, made.id, a_report())

    answers = together(app, work, workers=2)
    assert done(answers) == 1
    assert made.state in {"terminated", "delivered"}
