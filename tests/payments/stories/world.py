"""The people, the application and the provider of a story, on a clock that only goes forward."""

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
from payments import services
from payments.gateways.stripe import StripeGateway
from payments.ports import GatewayError
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
        from payments import jobs

        for _ in range(20):
            if not jobs.follow_up():
                return
