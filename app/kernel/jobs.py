"""Work that the clock starts. A job is an idempotent function that derives its work from due rows and returns a count."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel import clock
from app.kernel.db import Base, db, new_id, transaction
from app.kernel.inbox import insert_ignore

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Every:
    seconds: int


@dataclass(frozen=True)
class Daily:
    """At this wall-clock time in Beijing ("02:30")."""

    time: str


def every(*, seconds: int = 0, minutes: int = 0) -> Every:
    return Every(seconds + 60 * minutes)


def daily(time: str) -> Daily:
    return Daily(time)


@dataclass(frozen=True)
class Job:
    name: str
    run: Callable[[], int]
    trigger: Every | Daily
    description: str
    lease_seconds: int = 30


class JobLease(Base):
    """Who runs a job now, and how its last run went. A dead holder's lease runs out by itself."""

    __tablename__ = "job_lease"
    name: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    holder: Mapped[UUID | None]
    leased_until: Mapped[datetime | None]
    last_started_at: Mapped[datetime | None]
    last_finished_at: Mapped[datetime | None]
    last_count: Mapped[int | None] = mapped_column(sa.Integer())
    last_error: Mapped[str | None] = mapped_column(sa.Text())


class WorkerHeartbeat(Base):
    __tablename__ = "worker_heartbeat"
    worker: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    at: Mapped[datetime]


def run_once(job: Job) -> int | None:
    """Run `job` unless another worker holds its lease; return its count, or None when not run or failed."""
    holder = new_id()
    if not _take(job, holder):
        return None
    try:
        count = job.run()
    except Exception as failure:
        db.session.rollback()
        log.exception("job failed", extra={"job": job.name})
        _give_back(job, holder, None, f"{type(failure).__name__}: {failure}"[:2000])
        return None
    _give_back(job, holder, count, None)
    return count


def _take(job: Job, holder: UUID) -> bool:
    moment = clock.now()
    with transaction() as session:
        insert_ignore(JobLease, {"name": job.name})
        taken = session.execute(
            sa.update(JobLease)
            .where(
                JobLease.name == job.name,
                sa.or_(JobLease.leased_until.is_(None), JobLease.leased_until < moment),
            )
            .values(holder=holder, leased_until=moment + timedelta(seconds=job.lease_seconds), last_started_at=moment)
        )
        return bool(taken.rowcount)  # type: ignore[attr-defined]


def _give_back(job: Job, holder: UUID, count: int | None, error: str | None) -> None:
    with transaction() as session:
        session.execute(
            sa.update(JobLease)
            .where(JobLease.name == job.name, JobLease.holder == holder)
            .values(holder=None, leased_until=None, last_finished_at=clock.now(), last_count=count, last_error=error)
        )


def beat(worker: str) -> None:
    """Write down that this worker is alive."""
    with transaction() as session:
        insert_ignore(WorkerHeartbeat, {"worker": worker, "at": clock.now()})
        session.execute(sa.update(WorkerHeartbeat).where(WorkerHeartbeat.worker == worker).values(at=clock.now()))
