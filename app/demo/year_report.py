"""One page about a simulated year: what became of everything, drawn as bars, and what the examination found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask, render_template
from flask_babel import force_locale, gettext

from app.demo.examination import Findings
from app.kernel import clock
from app.kernel.audit import AuditEvent
from app.kernel.db import db
from app.kernel.money import Money
from marketplace.models.challenges import Challenge
from marketplace.models.contracts import Contract
from marketplace.models.procurements import Procurement, Registration
from marketplace.queries.statistics import statistics
from marketplace.rules.selection.methods import METHOD_LABELS
from marketplace.states.challenge import CHALLENGE
from marketplace.states.contract import CONTRACT
from marketplace.states.procurement import FAILURE_TEXTS, PROCUREMENT
from payments.models.ledger import LedgerEntry, LedgerTransaction

Bars = tuple[tuple[str, int], ...]
STATIC = Path(__file__).resolve().parents[1] / "web" / "static"
STYLES = ("vendor/tabler/tabler.min.css", "css/chaoshi.css", "css/credit.css")
FEW, MANY = 2, 30


@dataclass(frozen=True)
class Year:
    """The figures of the page; bars are (label, count), `held` (month, fen at its end)."""

    states: Bars
    methods: Bars
    failures: Bars
    contracts: Bars
    challenges: Bars
    registrants: Bars
    days_to_award: Bars
    wins: Bars
    events: Bars
    postings: Bars
    held: Bars


def write_report(app: Flask, findings: Findings, heading: Mapping[str, int], target: Path) -> None:
    """Write the page to `target`, in Chinese, with its styles inside: it can be sent by mail."""
    styles = "\n".join((STATIC / name).read_text(encoding="utf-8") for name in STYLES)
    with app.test_request_context("/"), force_locale("zh_Hans_CN"):
        page = render_template(
            "demo/simulated_year.html",
            heading=heading,
            findings=findings,
            figures=statistics(),
            year=year(),
            yuan=lambda fen: Money(fen).grouped,
            written_at=clock.now(),
        )
    target.write_text(page.replace("</head>", f"<style>{styles}</style></head>", 1), encoding="utf-8")


def year() -> Year:
    """Count everything. A handful of statements, whatever the size of the year."""
    return Year(
        states=_counted(Procurement.state, PROCUREMENT.labels),
        methods=_counted(Procurement.method, METHOD_LABELS),
        failures=_counted(Procurement.failure_code, FAILURE_TEXTS),
        contracts=_counted(Contract.state, CONTRACT.labels),
        challenges=_counted(Challenge.state, CHALLENGE.labels),
        registrants=_spread(_each(Registration.procurement_id), (FEW, 5, 10, 20, MANY)),
        days_to_award=_spread(_days_to_award(), (10, 15, 20, 25, MANY)),
        wins=_spread(_each(Procurement.winner_organisation_id), (1, 2, 5, 10, 20)),
        events=_by_month(AuditEvent.at),
        postings=_by_month(LedgerTransaction.effective_at),
        held=_held(),
    )


def _counted(column: Any, labels: Mapping[Any, str]) -> Bars:
    rows = db.session.execute(sa.select(column, sa.func.count()).where(column.is_not(None)).group_by(column))
    return tuple(sorted(((gettext(labels[value]), count) for value, count in rows), key=lambda row: -row[1]))


def _each(column: Any) -> list[int]:
    return list(db.session.scalars(sa.select(sa.func.count()).where(column.is_not(None)).group_by(column)))


def _days_to_award() -> list[int]:
    rows = db.session.execute(
        sa.select(Procurement.published_at, Procurement.awarded_at).where(Procurement.awarded_at.is_not(None))
    )
    return [(awarded - published).days for published, awarded in rows if awarded and published]


def _spread(values: Iterable[int], edges: tuple[int, ...]) -> Bars:
    """How many values lie up to each edge; the last bar holds the rest."""
    found = Counter(next((n for n, edge in enumerate(edges) if value <= edge), len(edges)) for value in values)
    lows = (0, *(edge + 1 for edge in edges))
    names = [f"{low}-{edge}" if low < edge else str(edge) for low, edge in zip(lows, edges, strict=False)]
    return tuple(zip((*names, f"> {edges[-1]}"), (found[n] for n in range(len(edges) + 1)), strict=True))


def _by_month(column: Any) -> Bars:
    return _months(db.session.scalars(sa.select(column)), lambda _: 1)


def _months(rows: Iterable[Any], weight: Callable[[Any], int]) -> Bars:
    found: Counter[date] = Counter()
    for row in rows:
        moment: datetime = row[0] if isinstance(row, tuple) else row
        found[clock.beijing_day(moment).replace(day=1)] += weight(row)
    return tuple((f"{month:%Y-%m}", found[month]) for month in sorted(found))


def _held() -> Bars:
    """What was held for owners at the end of each month, in fen: the credit side of the accounts of held money."""
    rows = db.session.execute(
        sa.select(LedgerTransaction.effective_at, LedgerEntry.amount_fen)
        .join(LedgerEntry, LedgerEntry.tx_id == LedgerTransaction.id)
        .where(LedgerEntry.account.startswith("escrow:"))
    )
    total, held = 0, []
    for month, moved in _months((tuple(row) for row in rows), lambda row: -row[1]):
        total += moved
        held.append((month, total))
    return tuple(held)
