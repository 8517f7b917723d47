"""The statutory clock of a case and the term for serving the decision. Pure: calendar, dates and modes are arguments.

Administrative Licensing Law: art. 42 (limit of the decision), art. 44 (certificate served within 10 days of the
decision), art. 45 (hearing, inspection, testing and expert review do not count), art. 82 (days are working days).
Some places promise more and let special procedures count inside the public limit; both modes are supported.
"""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from marketplace.rules.service_clock import ClockReading, Pause, ServiceClock, WorkCalendar, read_clock


@dataclass(frozen=True)
class StatutoryClock:
    """What the limit of one case is made of. `starts_on` is the day of acceptance, which does not count."""

    limit_wd: int
    starts_on: dt.date
    special_procedures: tuple[Pause, ...] = ()
    decided_on: dt.date | None = None
    special_procedures_count: bool = False


def read_statutory_clock(clock: StatutoryClock, calendar: WorkCalendar, today: dt.date) -> ClockReading:
    """Read the limit of a case; special procedures stop it only where the law's exclusion (art. 45) is applied."""
    pauses = () if clock.special_procedures_count else clock.special_procedures
    return read_clock(
        ServiceClock(limit_wd=clock.limit_wd, starts_on=clock.starts_on, pauses=pauses, stopped_on=clock.decided_on),
        calendar,
        today,
    )


def serve_deadline(decided_on: dt.date, calendar: WorkCalendar, serve_wd: int = 10) -> dt.date:
    """The last day for serving the result: the decision's day does not count (art. 44; rule book `deliver.serve_wd_after_decision`)."""
    return calendar.add_working_days(decided_on, serve_wd)


class DemandProblem(StrEnum):
    """Why a department may not demand this item."""

    NOT_PUBLISHED = "not_published"  # the list does not contain it, or contains it no longer
    NOT_YET_IN_FORCE = "not_yet_in_force"
    NO_LONGER_IN_FORCE = "no_longer_in_force"
    CANCELLED = "cancelled"  # it applied on the day of the application, but has been taken off the list since
    OTHER_APPROVAL = "other_approval"  # the list names the approvals it serves, and this is none of them
    ALREADY_DEMANDED = "already_demanded"


@dataclass(frozen=True)
class ListedVersion:
    """What has to be known of a list item's version to judge a demand. `effective_to` is the first day it no longer applies."""

    is_published: bool
    effective_from: dt.date | None
    effective_to: dt.date | None
    approvals: tuple[str, ...] = ()  # numbers of the approvals it serves; none named restricts nothing
    is_on_list: bool = True  # some version of the entry is in force today


def demand_problem(
    version: ListedVersion | None, applied_on: dt.date, approval: str, *, already_demanded: bool
) -> DemandProblem | None:
    """Say why the demand is not allowed, or None. Nothing outside the published list may be demanded (Order 722 art. 43).

    `applied_on` is the Beijing day on which the application was handed in: the list of that day binds the department.
    """
    if version is None or not version.is_published or version.effective_from is None:
        return DemandProblem.NOT_PUBLISHED
    if applied_on < version.effective_from:
        return DemandProblem.NOT_YET_IN_FORCE
    if version.effective_to is not None and applied_on >= version.effective_to:
        return DemandProblem.NO_LONGER_IN_FORCE
    if not version.is_on_list:
        return DemandProblem.CANCELLED
    if version.approvals and approval not in version.approvals:
        return DemandProblem.OTHER_APPROVAL
    if already_demanded:
        return DemandProblem.ALREADY_DEMANDED
    return None
