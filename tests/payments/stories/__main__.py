"""python -m tests.payments.stories [--examples 200] [--steps 50] [--seed 1]: tell many stories on a database of their own."""

import argparse
import logging
import tempfile
import time
from pathlib import Path

import sqlalchemy as sa

from app.factory import create_app
from app.kernel.access import Role
from app.kernel.db import Base, db
from app.settings import Mode, Settings
from payments.gateways import EXTENSION
from payments.gateways.stripe import StripeGateway
from payments.models.ledger import LedgerTransaction
from payments.services import register_address
from payments.simulator.application import open_simulator
from payments.simulator.inprocess import InProcessHttp
from tests.builders import a_member
from tests.payments.conftest import bill_maker
from tests.payments.stories.machine import tell
from tests.payments.stories.outgoing import OutgoingStory
from tests.payments.stories.world import World


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.payments.stories", description=__doc__)
    parser.add_argument("--examples", type=int, default=200)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)  # every fault is told of, and there are thousands
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'stories.sqlite'}"
        app = create_app(Settings(mode=Mode.TESTING, data_dir=Path(folder), database_url=url, secret_key="stories"))
        simulator = open_simulator(":memory:")
        gateway = StripeGateway("sk_test_stories", "http://127.0.0.1:8421", http=InProcessHttp(simulator))
        app.extensions[EXTENSION] = gateway
        with app.app_context():
            Base.metadata.create_all(db.engine)
            register_address()
            owner, agency = a_member(Role.OWNER), a_member(Role.AGENCY)
            operators = a_member(Role.OPERATOR), a_member(Role.OPERATOR)
            world = World(simulator, gateway, owner, agency, operators, bill_maker(owner, agency))
            world.open_account()
            tell(world, examples=options.examples, steps=options.steps, chance=options.seed, kind=OutgoingStory)
            postings = db.session.scalar(sa.select(sa.func.count(LedgerTransaction.id)))
    seconds = time.monotonic() - started
    print(
        f"{options.examples} stories of up to {options.steps} steps, {postings} postings, all invariants: {seconds:.0f} s"
    )


if __name__ == "__main__":
    main()
