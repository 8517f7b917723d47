"""python -m app.scheduler: the worker. Any number of copies may run.

APScheduler only ticks (an in-memory store: the declarations are the source of truth). Every effect comes from rows
that are due, claimed under a lease or a row lock. A watchdog on the monotonic clock replaces a silent ticker.
"""

import logging
import os
import signal
import socket
import threading
import time
from types import FrameType

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger
from flask import Flask

from app.factory import create_app
from app.kernel import audit, outbox
from app.kernel.clock import BEIJING
from app.kernel.inbox import forget_keys
from app.kernel.jobs import Daily, Every, Job, beat, daily, every, run_once
from app.kernel.words import N_
from app.settings import Settings

log = logging.getLogger(__name__)
OUTBOX_SECONDS = 1
SILENCE_SECONDS = 30

KERNEL_JOBS: tuple[Job, ...] = (
    Job("kernel.audit-sequence", audit.sequence_all, every(seconds=5), N_("Give audit events their place in the log")),
    Job("kernel.forget-keys", forget_keys, daily("03:40"), N_("Forget the keys of old requests"), 300),
)


class Worker:
    """Runs the jobs and drains the outbox until told to stop."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.name = f"{socket.gethostname()}:{os.getpid()}"
        self.stopping = threading.Event()
        self.last_tick = time.monotonic()
        self.scheduler = self._scheduler()

    def run(self) -> None:
        """Work until `stop`; then finish what is being done."""
        self._start_domains()
        self.scheduler.start()
        while not self.stopping.wait(1):
            if time.monotonic() - self.last_tick > SILENCE_SECONDS:
                self._restart()
        self.scheduler.shutdown(wait=True)

    def stop(self, _signal: int = 0, _frame: FrameType | None = None) -> None:
        self.stopping.set()

    def _start_domains(self) -> None:
        for domain in self.app.extensions["chaoshi_domains"]:
            if domain.on_start:
                try:
                    with self.app.app_context():
                        domain.on_start()
                except Exception:
                    log.exception("start of a domain failed; its jobs will try again", extra={"domain": domain.name})

    def _scheduler(self) -> BackgroundScheduler:
        from app.cli import all_jobs

        scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(4)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
            timezone=BEIJING,
        )
        scheduler.add_job(self._drain, IntervalTrigger(seconds=OUTBOX_SECONDS), id="outbox")
        scheduler.add_job(self._beat, IntervalTrigger(seconds=10), id="heartbeat", next_run_time=None)
        for job in all_jobs(self.app):
            scheduler.add_job(self._job, _trigger(job), args=[job], id=job.name)
        scheduler.resume_job("heartbeat")
        return scheduler

    def _restart(self) -> None:
        log.error("the ticker was silent; starting a new one")
        self.scheduler.shutdown(wait=False)
        self.last_tick = time.monotonic()
        self.scheduler = self._scheduler()
        self.scheduler.start()

    def _drain(self) -> None:
        self.last_tick = time.monotonic()
        with self.app.app_context():
            while not self.stopping.is_set() and outbox.drain(20):
                self.last_tick = time.monotonic()

    def _beat(self) -> None:
        with self.app.app_context():
            beat(self.name)

    def _job(self, job: Job) -> None:
        with self.app.app_context():
            run_once(job)


def _trigger(job: Job) -> IntervalTrigger | CronTrigger:
    if isinstance(job.trigger, Every):
        return IntervalTrigger(seconds=job.trigger.seconds)
    assert isinstance(job.trigger, Daily)
    hour, minute = job.trigger.time.split(":")
    return CronTrigger(hour=int(hour), minute=int(minute), timezone=BEIJING)


def main() -> None:
    """Run one worker in this process."""
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # a tick that finds the last one still at work is no news
    worker = Worker(create_app(Settings.from_env()))
    signal.signal(signal.SIGTERM, worker.stop)
    signal.signal(signal.SIGINT, worker.stop)
    log.info("worker started", extra={"worker": worker.name})
    worker.run()


if __name__ == "__main__":
    main()
