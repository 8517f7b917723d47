"""Several workers at the same moment: what a race answers is who was refused, and how."""

import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from flask import Flask

from app.kernel.db import db

WORKERS = 8


def together(app: Flask, work: Callable[[int], Any], workers: int = WORKERS) -> list[Any]:
    """Run `work(n)` in threads that start at the same moment, under the test's clock; their answers or refusals.

    Afterwards the caller's session sees what they wrote: a read transaction of before would still see the old rows.
    """
    gate = threading.Barrier(workers)

    def run(number: int) -> Any:
        with app.app_context():
            gate.wait(30)
            try:
                return work(number)
            except Exception as refusal:  # noqa: BLE001 - who was refused, and how, is what a race answers
                return refusal
            finally:
                db.session.remove()

    contexts = [contextvars.copy_context() for _ in range(workers)]
    with ThreadPoolExecutor(workers) as pool:
        answers = list(pool.map(lambda n: contexts[n].run(run, n), range(workers)))
    db.session.rollback()
    return answers
