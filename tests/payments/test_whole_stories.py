"""Stories that hypothesis makes up: whatever order, loss, repetition and faults, the books equal the provider."""

from collections.abc import Callable
from uuid import UUID

from flask import Flask

from app.kernel.access import Actor, Role
from payments.gateways.stripe import StripeGateway
from payments.simulator.application import Simulator
from tests.builders import a_member
from tests.payments.stories import invariants
from tests.payments.stories.machine import tell
from tests.payments.stories.outgoing import OutgoingStory
from tests.payments.stories.world import World


def test_the_books_equal_the_provider_whatever_happens(
    app: Flask, gateway: StripeGateway, simulator: Simulator, secret: str, a_bill: Callable[..., UUID], owner: Actor,
    agency: Actor,
) -> None:  # fmt: skip
    operators = a_member(Role.OPERATOR), a_member(Role.OPERATOR)
    world = World(simulator, gateway, owner, agency, operators, a_bill)
    world.open_account()
    tell(world, examples=4, steps=20, kind=OutgoingStory)


def test_every_numbered_invariant_is_checked_somewhere() -> None:
    """I11 and I12 are tests of their own."""
    told = {name.partition("_")[0] for name in vars(invariants) if name.startswith("i") and name[1].isdigit()}
    checked = {check.__name__.partition("_")[0] for check in invariants.AT_REST}
    assert told == checked
    assert told | {"i11", "i12"} == {f"i{n}" for n in range(1, 15)}
