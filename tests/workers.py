"""Real processes on one database, without the web: what races and crashes are tested with."""

import multiprocessing
import multiprocessing.process
import os
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask

from app.kernel import audit, faults, work_calendar  # noqa: F401 - their tables belong to the schema
from app.kernel.db import db, engine_options, init_db

_fork = multiprocessing.get_context("fork")


def bare_application(url: str, folder: Path) -> Flask:
    """The kernel alone on a database: opens in milliseconds, in any number of processes."""
    app = Flask("worker")
    app.config.update(
        SQLALCHEMY_DATABASE_URI=url,
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(url),
        DATA_DIR=folder,
        AUDIT_KEY_FILE=folder / "audit_key.pem",
    )
    init_db(app)
    return app


def _body(
    url: str, folder: Path, work: Callable[..., Any], arguments: tuple[Any, ...], armed: str, answers: Any
) -> None:
    faults._name, _, count = armed.partition(":")
    faults._remaining = int(count or "1")
    try:
        with bare_application(url, folder).app_context():
            answers.put(work(*arguments))
    except BaseException:  # noqa: BLE001 - whatever happened is the answer
        answers.put(traceback.format_exc())
        os._exit(3)


def start(url: str, folder: Path, work: Callable[..., Any], *arguments: Any, armed: str = "") -> tuple[Any, Any]:
    """Run `work` in its own process; `armed` names the fault point at which it dies."""
    answers = _fork.SimpleQueue()
    process = _fork.Process(target=_body, args=(url, folder, work, arguments, armed, answers), daemon=True)
    process.start()
    return process, answers


def race(
    url: str, folder: Path, works: list[tuple[Callable[..., Any], tuple[Any, ...]]], seconds: float = 90
) -> list[Any]:
    """Run every work at once, each in its own process; returns their answers. Fails when one did not end well."""
    started = [start(url, folder, work, *arguments) for work, arguments in works]
    results = []
    for process, answers in started:
        process.join(seconds)
        alive = process.is_alive()
        if alive:
            process.kill()
        assert not alive, "a worker hangs"
        results.append(answers.get() if not answers.empty() else None)
        assert process.exitcode == 0, results[-1]
    return results


def drop_connections() -> None:
    """Leave nothing open that a forked process could share."""
    db.session.remove()
    db.engine.dispose()
