"""A worker that a crash test starts and kills: drains the outbox against a simulator kept in a directory."""

import sys
from datetime import timedelta
from pathlib import Path

from app.factory import create_app
from app.kernel import clock, outbox
from app.settings import Mode, Settings
from payments.gateways import EXTENSION
from payments.gateways.stripe import StripeGateway
from payments.simulator.application import open_simulator
from payments.simulator.inprocess import InProcessHttp


def main(url: str, data_dir: str, simulator_dir: str, hours: str) -> None:
    app = create_app(Settings(mode=Mode.TESTING, data_dir=Path(data_dir), database_url=url))
    http = InProcessHttp(open_simulator(simulator_dir))
    app.extensions[EXTENSION] = StripeGateway("sk_test_worker", "http://127.0.0.1:8421", http=http)
    with app.app_context(), clock.at(clock.now() + timedelta(hours=int(hours))):
        outbox.drain_all()


if __name__ == "__main__":
    main(*sys.argv[1:])
