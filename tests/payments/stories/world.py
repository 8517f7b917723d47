"""The people, the application and the provider of a story, on a clock that only goes forward."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from werkzeug.test import Client

from app.kernel import clock, outbox
from app.kernel.access import Actor
from app.kernel.db import db
from app.kernel.errors import DomainError
from app.kernel.files import Upload
from payments import jobs, outgoing_jobs, services
from payments.gateways.stripe import StripeGateway
from payments.ports import GatewayError
from payments.services.bank_accounts import (
    DecideBankAccount,
    EnterBankAccount,
    check_bank_account,
    confirm_bank_account,
    enter_bank_account,
)
from payments.services.reconciliation import recall_missed
from payments.simulator.application import Simulator
from payments.simulator.faults import Fault
from payments.simulator.inprocess import take_deliveries


@dataclass
class World:
    """What all examples of a run share. `later`: how far our clock is ahead."""

    simulator: Simulator
    gateway: StripeGateway
    owner: Actor
    agency: Actor
    operators: tuple[Actor, Actor]
    a_bill: Callable[..., UUID]
    later: timedelta = timedelta()

    def __post_init__(self) -> None:
        self.simulator.backend.wall_clock = self.wall_clock

    def wall_clock(self) -> float:
        """The machine's time, the same on both sides: notices would be refused as old otherwise."""
        return time.time() + self.later.total_seconds()

    def control(self, address: str, **values: Any) -> None:
        """Tell the simulator something outside its API."""
        answer = Client(self.simulator).post(f"/_sim/{address}", json=values)
        assert answer.status_code == 200, answer.text

    @contextmanager
    def now(self) -> Iterator[None]:
        """Act at the story's time."""
        with clock.at(clock.now() + self.later):
            yield

    def quietly(self, act: Callable[[], object]) -> None:
        """A refusal, or a provider that does not answer, is an answer; anything else fails the story."""
        try:
            with self.now():
                act()
        except (DomainError, GatewayError):
            pass
        db.session.rollback()

    def strike(self, fault: Fault | None, times: int = 1) -> None:
        """Let the next requests that change something at the provider meet this fault."""
        if fault is not None:
            self.control("faults", path="/v1/", fault=fault, times=times)

    def heal(self) -> None:
        """The network is good again."""
        Client(self.simulator).delete("/_sim/faults")

    def pass_time(self, minutes: int) -> None:
        """Time passes, here and at the provider."""
        self.later += timedelta(minutes=minutes)
        self.control("clock", advance=minutes * 60)

    def work(self) -> None:
        """What the worker does once; a provider that does not answer leaves its messages for later."""
        self.quietly(lambda: outbox.drain(200))

    def settle(self) -> None:
        """Let every job and message run until nothing is left to do, a day later, with a good network."""
        self.heal()
        for hours in (25, 2):
            self.pass_time(hours * 60)
            for notice in take_deliveries(self.simulator):
                self.quietly(lambda notice=notice: services.record_notice(dict(notice.headers), notice.body))  # type: ignore[misc]
            with self.now():
                recall_missed()
                outbox.drain_all()
                self.follow_up()
                outbox.drain_all()
        db.session.expire_all()

    def follow_up(self) -> None:
        """The jobs that ask about what is silent."""
        for _ in range(20):
            if not jobs.follow_up() + outgoing_jobs.follow_payouts() + outgoing_jobs.follow_disputes():
                return

    def open_account(self) -> None:
        """Give the agency a bank account that is in use."""
        proof = Upload("开户许可证.txt", "基本存款账户信息".encode())
        entered = EnterBankAccount("某环境技术有限公司", "中国建设银行", "6222021001123456789", proof)
        account_id = enter_bank_account(self.agency, entered)
        check_bank_account(self.operators[0], account_id, DecideBankAccount())
        confirm_bank_account(self.operators[1], account_id, DecideBankAccount())
        self.pass_time(4 * 24 * 60)
        with self.now():
            outgoing_jobs.activate_accounts()
            outbox.drain_all()
