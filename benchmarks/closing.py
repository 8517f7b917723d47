"""`python -m benchmarks.closing`: a notice with a thousand registrants, from the deadline to the published result.

Everybody registers through the use case. What follows the deadline is timed step by step: the recheck of everybody's
eligibility and the frozen list, the draw, the award; and the page of the result.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from app.kernel import clock, outbox
from app.kernel.commands import Plain
from app.kernel.db import Base, db
from benchmarks.market import application
from marketplace.jobs import procurements as jobs
from marketplace.models.procurements import Draw, DrawRank
from marketplace.services import procurements, registrations
from marketplace.services.commands import Register
from tests.marketplace.procurement_builders import DEADLINE, Story, a_story


def measured(name: str, work: Callable[[], object]) -> None:
    """Run one step; print its wall time and CPU time."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    print(f"| {name} | {time.perf_counter() - wall:.2f} | {time.process_time() - cpu:.2f} |", flush=True)


def registered(clock_at: Callable[[datetime], None], count: int) -> Story:
    """A public notice for which `count` agencies have registered."""
    story = a_story(clock_at, agencies=count)
    procurements.submit_notice(story.owner, story.id, Plain())
    procurements.publish_notice(story.operator, story.id, Plain())
    for agency in story.agencies:
        registrations.register(agency.actor, story.id, Register())
    return story


def main(arguments: list[str] | None = None) -> None:
    """Print one row a step."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--registrants", type=int, default=1000)
    wanted = parser.parse_args(arguments)
    moments: list[datetime] = []
    with tempfile.TemporaryDirectory() as folder:
        app = application(Path(folder))
        with app.app_context(), clock.at(lambda: moments[-1] if moments else clock._system_time()):  # noqa: SLF001
            Base.metadata.create_all(db.engine)
            print("| step | s | CPU s |\n|---|---|---|")
            stories: list[Story] = []
            measured(f"{wanted.registrants} agencies made and registered",
                     lambda: stories.append(registered(moments.append, wanted.registrants)))  # fmt: skip
            (story,) = stories
            outbox.drain_all()
            moments.append(DEADLINE + timedelta(seconds=1))
            measured("registration closed", jobs.close_due)
            measured("everybody checked again, list frozen", jobs.freeze_due)
            measured("everybody told", outbox.drain_all)
            due = story.procurement.beacon_due_at
            assert due is not None
            moments.append(due)
            measured("drawn", jobs.rank_due)
            assert db.session.query(DrawRank).count() == wanted.registrants
            draw_id = db.session.scalars(sa.select(Draw.id)).one()
            measured("page of the draw", lambda: _page(app.test_client().get(f"/draws/{draw_id}")))
            ends = story.procurement.publicity_ends_at
            assert ends is not None
            moments.append(ends + timedelta(seconds=1))
            measured("award with its letter", jobs.award_due)
            assert story.state == "awarded"


def _page(response: object) -> None:
    assert getattr(response, "status_code", None) == 200, response


if __name__ == "__main__":
    main()
