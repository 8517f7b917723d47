"""The random draw as a selection method: which rounds of the announced sources count, when a value is agreed, who wins."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

from app.kernel.calendar import BEIJING, WorkCalendar, beijing_date
from marketplace.rulebook import RuleBook
from marketplace.rules.draw import DEMO, DRAND, MIN_BEACON_DELAY_SECONDS, Source, drand_round_at
from marketplace.rules.selection.lots import drawn, even, places
from marketplace.rules.selection.methods import DrawPurpose
from marketplace.rules.selection.outcome import Inputs, Reason, ReasonCode, Step, conclude, listed

READINGS_NEEDED = 2


def announced_sources(*, demonstration: bool) -> tuple[str, ...]:
    """The public sources that a notice published today announces; there is no other one to fall back on."""
    return (DEMO,) if demonstration else (DRAND,)


def counting_round(name: str, frozen_at: datetime, book: RuleBook, calendar: WorkCalendar) -> Source:
    """The announced mechanical rule: the round of a source that counts for a list frozen at `frozen_at` (aware, whole seconds).

    The demonstration counts at the end of the challenge time; quicknet at the first round at or after the rule book's hour
    (Beijing) of the next working day. Either lies at least 600 s after the freeze. Raises UnknownYear, and ValueError for a
    source without an announced rule.
    """
    wait = timedelta(seconds=max(book.draw_challenge_minutes * 60, MIN_BEACON_DELAY_SECONDS))
    if name == DEMO:
        return Source(name, str(int((frozen_at + wait).timestamp())))
    if name == DRAND:
        day = calendar.next_working_day(beijing_date(frozen_at))
        moment = datetime(day.year, day.month, day.day, book.draw_beacon_hour, tzinfo=BEIJING).astimezone(UTC)
        return Source(name, str(drand_round_at(max(moment, frozen_at + wait))))
    raise ValueError(f"no announced rule for the source {name}")


def agreed_value(source: str, readings: Iterable[tuple[UUID | None, str]]) -> str | None:
    """The value on which the latest readings of two different persons agree, None until then.

    `readings` are (person, value) in the order in which they were entered. The demonstration makes its own value, so one
    reading is enough there.
    """
    latest: Mapping[UUID | None, str] = dict(readings)
    values = list(latest.values())
    needed = 1 if source == DEMO else READINGS_NEEDED
    return next((value for value in values if values.count(value) >= needed), None)


def next_step(inputs: Inputs, book: RuleBook) -> Step:  # noqa: ARG001 - every method has the same signature
    """The draw of everybody on the frozen list, and then its order (RANDOM, 随机选取)."""
    entrants = listed(inputs)
    needed = even(DrawPurpose.SELECTION, entrants, inputs.seats)
    lots = drawn(inputs, needed)
    if lots is None:
        return needed
    order = places(lots)
    rows = [
        (entrant, Reason(ReasonCode.DRAWN, {"place": order[entrant.uscc], "entries": len(entrants)}))
        for entrant in sorted(entrants, key=lambda entrant: order[entrant.uscc])
    ]
    return conclude(inputs, rows, {})
