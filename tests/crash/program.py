"""A worker that a crash test starts and kills: drains the outbox and sequences the log of a given database."""

import sys
from datetime import timedelta
from pathlib import Path

from app.factory import create_app
from app.kernel import audit, clock, outbox
from app.settings import Mode, Settings
from tests.crash.knocking import HANDLERS


def main(url: str, data_dir: str, hours: str) -> None:
    app = create_app(Settings(mode=Mode.TESTING, data_dir=Path(data_dir), database_url=url))
    outbox.subscribe(HANDLERS)
    late = clock.now() + timedelta(hours=int(hours))
    with app.app_context(), clock.at(late):
        outbox.drain(500)
        audit.sequence_all()


if __name__ == "__main__":
    main(*sys.argv[1:])
