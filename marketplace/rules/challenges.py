"""Who may challenge what, until when, who answers, and what may follow: objections, queries, complaints, off-list reports.

Sources: Tendering Law Implementing Regulation arts. 54, 60, 61 (objection inside the publicity, answer within three days and
the procedure stands still until then); Government Procurement Law arts. 52 to 58 (query within seven working days, answer
within seven; complaint within fifteen, decision within thirty); BUSINESS-RULES 2.8. All numbers are rule-book parameters.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from app.kernel.calendar import WorkCalendar, beijing_date, end_of_day
from app.kernel.words import N_
from marketplace.rulebook import RuleBook
from marketplace.states.procurement import ProcurementState


class ChallengeKind(StrEnum):
    """What sort of challenge it is."""

    OBJECTION = "objection"  # 异议
    QUERY = "query"  # 质疑
    COMPLAINT = "complaint"  # 投诉
    OFF_LIST = "off_list"  # 清单外事项举报


class Target(StrEnum):
    """What is challenged."""

    NOTICE = "notice"  # 采购公告
    LIST = "list"  # 冻结名单
    RESULT = "result"  # 中选结果
    ADMISSION = "admission"  # 入驻公示
    CONDUCT = "conduct"  # 行为


class ComplaintType(StrEnum):
    """What a complaint is about (BUSINESS-RULES 2.8)."""

    OFF_LIST = "off_list"
    DESIGNATED_AGENCY = "designated_agency"
    UNREASONABLE_CONDITIONS = "unreasonable_conditions"
    COLLUSION = "collusion"
    FALSE_QUALIFICATION = "false_qualification"
    REFUSAL_TO_SIGN = "refusal_to_sign"
    EXTRA_FEES = "extra_fees"
    DELAY = "delay"
    POOR_QUALITY = "poor_quality"
    LEAK = "leak"
    UNPAID_FEE = "unpaid_fee"
    UNFAIR_RATING = "unfair_rating"
    COURIER = "courier"


class Side(StrEnum):
    """Whom a challenge is directed against, and who wrote a statement."""

    CHALLENGER = "challenger"
    OWNER = "owner"
    AGENCY = "agency"
    OPERATOR = "operator"
    OTHER = "other"  # a department, the courier, somebody who has no account here


class Standing(StrEnum):
    """What somebody is to a procurement or an admission when challenging it."""

    REGISTRANT = "registrant"  # registered for this procurement
    AGENCY = "agency"  # another agency
    OWNER = "owner"  # an owner, in whatever matter
    PERSON = "person"  # anybody else with a real name
    PARTY = "party"  # the owner's or the winner's own people: the result is theirs
    OFFICIAL = "official"  # those who run and watch the supermarket: they decide, they do not challenge


class HandledBy(StrEnum):
    """Who answers or decides."""

    OWNER = "owner"
    OPERATOR = "operator"
    REGULATOR = "regulator"


class Effect(StrEnum):
    """What follows for the matter when a challenge is upheld."""

    NONE = "none"
    EXCLUDE = "exclude"
    RESELECT = "reselect"
    REPUBLISH = "republish"
    VOID = "void"
    REJECT_ADMISSION = "reject_admission"


KIND_LABELS: Final[Mapping[str, str]] = {
    ChallengeKind.OBJECTION: N_("Objection"),
    ChallengeKind.QUERY: N_("Query"),
    ChallengeKind.COMPLAINT: N_("Complaint"),
    ChallengeKind.OFF_LIST: N_("Off-list report"),
}
TARGET_LABELS: Final[Mapping[str, str]] = {
    Target.NOTICE: N_("Purchase notice"),
    Target.LIST: N_("Frozen list"),
    Target.RESULT: N_("Selection result"),
    Target.ADMISSION: N_("Admission in publicity"),
    Target.CONDUCT: N_("Conduct"),
}
TYPE_LABELS: Final[Mapping[str, str]] = {
    ComplaintType.OFF_LIST: N_("Demand outside the item list"),
    ComplaintType.DESIGNATED_AGENCY: N_("An agency was designated"),
    ComplaintType.UNREASONABLE_CONDITIONS: N_("Unreasonable conditions"),
    ComplaintType.COLLUSION: N_("Collusion"),
    ComplaintType.FALSE_QUALIFICATION: N_("False or borrowed qualification"),
    ComplaintType.REFUSAL_TO_SIGN: N_("Refusal to sign the contract"),
    ComplaintType.EXTRA_FEES: N_("Fees beyond the agreed price"),
    ComplaintType.DELAY: N_("Delay"),
    ComplaintType.POOR_QUALITY: N_("Poor quality"),
    ComplaintType.LEAK: N_("Leak of secret information"),
    ComplaintType.UNPAID_FEE: N_("Service fee not paid"),
    ComplaintType.UNFAIR_RATING: N_("Unfair rating"),
    ComplaintType.COURIER: N_("Courier delivery"),
}
SIDE_LABELS: Final[Mapping[str, str]] = {
    Side.CHALLENGER: N_("Challenger"),
    Side.OWNER: N_("Project owner"),
    Side.AGENCY: N_("Agency"),
    Side.OPERATOR: N_("Operator"),
    Side.OTHER: N_("Department, courier or somebody else"),
}
STANDING_LABELS: Final[Mapping[str, str]] = {
    Standing.REGISTRANT: N_("A registered agency"),
    Standing.AGENCY: N_("An agency"),
    Standing.OWNER: N_("A project owner"),
    Standing.PERSON: N_("A person"),
}
HANDLED_BY_LABELS: Final[Mapping[str, str]] = {
    HandledBy.OWNER: N_("Project owner"),
    HandledBy.OPERATOR: N_("Operator"),
    HandledBy.REGULATOR: N_("Regulator"),
}
EFFECT_LABELS: Final[Mapping[str, str]] = {
    Effect.NONE: N_("The procedure goes on; what was wrong is put right"),
    Effect.EXCLUDE: N_("Exclude one agency of the frozen list; the order of the others stays"),
    Effect.RESELECT: N_("Cancel the result; the next of the frozen ranking follows, without the winner"),
    Effect.REPUBLISH: N_("Cancel the selection; the owner publishes a new round"),
    Effect.VOID: N_("Set the procurement invalid"),
    Effect.REJECT_ADMISSION: N_("Reject the admission"),
}
NUMBER_PREFIXES: Final[Mapping[str, str]] = {
    ChallengeKind.OBJECTION: "YY",
    ChallengeKind.QUERY: "ZY",
    ChallengeKind.COMPLAINT: "TS",
    ChallengeKind.OFF_LIST: "QW",
}

_MAY: Final[Mapping[tuple[ChallengeKind, Target], frozenset[Standing]]] = {
    (ChallengeKind.OBJECTION, Target.NOTICE): frozenset({Standing.REGISTRANT, Standing.AGENCY, Standing.PERSON}),
    (ChallengeKind.OBJECTION, Target.LIST): frozenset({Standing.REGISTRANT}),
    (ChallengeKind.OBJECTION, Target.RESULT): frozenset({Standing.REGISTRANT, Standing.AGENCY, Standing.PERSON}),
    (ChallengeKind.OBJECTION, Target.ADMISSION): frozenset({Standing.AGENCY, Standing.OWNER, Standing.PERSON}),
    (ChallengeKind.QUERY, Target.NOTICE): frozenset({Standing.REGISTRANT, Standing.AGENCY}),
    (ChallengeKind.QUERY, Target.LIST): frozenset({Standing.REGISTRANT}),
    (ChallengeKind.QUERY, Target.RESULT): frozenset({Standing.REGISTRANT}),
}

_TO_OPERATOR: Final = frozenset(
    {
        ComplaintType.EXTRA_FEES,
        ComplaintType.DELAY,
        ComplaintType.POOR_QUALITY,
        ComplaintType.UNPAID_FEE,
        ComplaintType.UNFAIR_RATING,
        ComplaintType.COURIER,
    }
)


def may_challenge(kind: ChallengeKind, target: Target, standing: Standing) -> bool:
    """Whether somebody of this standing may bring this kind of challenge against this target."""
    if kind in {ChallengeKind.COMPLAINT, ChallengeKind.OFF_LIST}:
        return standing is not Standing.OFFICIAL
    return standing in _MAY.get((kind, target), frozenset())


def handler_of(complaint_type: ComplaintType, against: Side, *, is_follow_up: bool) -> HandledBy:
    """Who decides a complaint: the regulator what concerns the rules, an owner's answer or the operator itself; else the operator."""
    if is_follow_up or against is Side.OPERATOR:
        return HandledBy.REGULATOR
    return HandledBy.OPERATOR if complaint_type in _TO_OPERATOR else HandledBy.REGULATOR


# --- limits ---------------------------------------------------------------------------------------------------------


def after_days(calendar: WorkCalendar, start: datetime, days: int) -> datetime:
    """The end of the `days`-th calendar day after `start`; when that is a rest day, of the next working day (Civil Code 203)."""
    return end_of_day(calendar.on_or_after(beijing_date(start) + timedelta(days=days)))


def notice_objection_ends(
    book: RuleBook, calendar: WorkCalendar, published_at: datetime, registration_ends_at: datetime
) -> datetime:
    """Until when a notice may be objected to: the days of the rule book, never beyond the registration deadline."""
    return min(after_days(calendar, published_at, book.objection_notice_days), registration_ends_at)


def query_ends(book: RuleBook, calendar: WorkCalendar, known_at: datetime) -> datetime:
    """Until when a query may be raised against what became known at `known_at`."""
    return calendar.deadline(known_at, book.query_wd).at


def complaint_ends(book: RuleBook, calendar: WorkCalendar, since: datetime) -> datetime:
    """Until when a complaint may follow an answer (or a missed limit, or the day the fact became known)."""
    return calendar.deadline(since, book.complaint_wd).at


def answer_deadline(kind: ChallengeKind, book: RuleBook, calendar: WorkCalendar, filed_at: datetime) -> datetime:
    """Until when the first answer is due: the reply to an objection, query or report; the acceptance of a complaint."""
    if kind is ChallengeKind.OBJECTION:
        return after_days(calendar, filed_at, book.objection_reply_days)
    working_days = {
        ChallengeKind.QUERY: book.query_reply_wd,
        ChallengeKind.COMPLAINT: book.complaint_accept_wd,
        ChallengeKind.OFF_LIST: book.off_list_reply_wd,
    }[kind]
    return calendar.deadline(filed_at, working_days).at


def rest_after(ends_at: datetime, paused_at: datetime, resumed_at: datetime) -> datetime:
    """The new end of a period that stood still: what was left when it stopped is left when it runs on, to the second."""
    return ends_at + (resumed_at - paused_at)


@dataclass(frozen=True)
class Window:
    """One challenge that is possible now. `ends_at` is its last moment; `stands_still` while the period is paused."""

    kind: ChallengeKind
    target: Target
    ends_at: datetime
    stands_still: bool = False

    def is_open(self, now: datetime) -> bool:
        """Whether it is in time at `now`: the last second counts, the next one does not."""
        return self.stands_still or now <= self.ends_at

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.target}"


def windows(
    book: RuleBook,
    calendar: WorkCalendar,
    *,
    state: str,
    paused_from: str | None,
    published_at: datetime | None,
    registration_ends_at: datetime | None,
    frozen_at: datetime | None,
    list_challenge_ends_at: datetime | None,
    selected_at: datetime | None,
    publicity_ends_at: datetime | None,
) -> tuple[Window, ...]:
    """What may be challenged in a procurement that stands like this; ended windows are included, the caller asks `is_open`.

    Queries reach as far as the award: a signed contract is a matter for a complaint. Raises UnknownYear.
    """
    stage = paused_from if state == ProcurementState.PAUSED else state
    still = state == ProcurementState.PAUSED
    found = []
    if stage == ProcurementState.PUBLISHED and published_at and registration_ends_at:
        ends = notice_objection_ends(book, calendar, published_at, registration_ends_at)
        # a pause moves the deadline of the registration, not the days since the publication
        found.append(Window(ChallengeKind.OBJECTION, Target.NOTICE, ends))
    if stage in _ON_LIST and list_challenge_ends_at:
        found.append(Window(ChallengeKind.OBJECTION, Target.LIST, list_challenge_ends_at))
    if stage == ProcurementState.RESULT_PUBLICITY and publicity_ends_at:
        found.append(Window(ChallengeKind.OBJECTION, Target.RESULT, publicity_ends_at, stands_still=still))
    if stage in _QUERIED:
        known = ((Target.NOTICE, published_at), (Target.LIST, frozen_at), (Target.RESULT, selected_at))
        found += [
            Window(ChallengeKind.QUERY, target, query_ends(book, calendar, moment))
            for target, moment in known
            if moment is not None and stage in _KNOWN_IN[target]
        ]
    return tuple(found)


_WITH_RESULT: Final = frozenset(
    {ProcurementState.RESULT_PUBLICITY, ProcurementState.AWARDED, ProcurementState.CONFIRMED}
)
_ON_LIST: Final = frozenset(
    {ProcurementState.OPENING, ProcurementState.BIDDING, ProcurementState.COMPARING, ProcurementState.SELECTING}
)
_QUERIED: Final = _WITH_RESULT | _ON_LIST | {ProcurementState.PUBLISHED}
_KNOWN_IN: Final[Mapping[Target, frozenset[ProcurementState]]] = {
    Target.NOTICE: _QUERIED,
    Target.LIST: _WITH_RESULT | _ON_LIST,
    Target.RESULT: _WITH_RESULT,
}


# --- effects and impartiality ---------------------------------------------------------------------------------------


def possible_effects(stage: str | None, *, is_admission: bool = False) -> tuple[Effect, ...]:
    """What an upheld challenge may lead to, by where the procurement stands (or stood before its pause)."""
    if is_admission:
        return (Effect.REJECT_ADMISSION, Effect.NONE)
    if stage in _ON_LIST:
        return (Effect.EXCLUDE, Effect.REPUBLISH, Effect.VOID, Effect.NONE)
    return _EFFECTS.get(stage or "", (Effect.NONE,))


_EFFECTS: Final[Mapping[str, tuple[Effect, ...]]] = {
    ProcurementState.PUBLISHED: (Effect.NONE, Effect.VOID),
    ProcurementState.RESULT_PUBLICITY: (
        Effect.RESELECT,
        Effect.EXCLUDE,
        Effect.REPUBLISH,
        Effect.VOID,
        Effect.NONE,
    ),
    ProcurementState.AWARDED: (Effect.RESELECT, Effect.REPUBLISH, Effect.VOID, Effect.NONE),
    ProcurementState.CONFIRMED: (Effect.RESELECT, Effect.REPUBLISH, Effect.VOID, Effect.NONE),
}


class Involvement(StrEnum):
    """Why somebody may not decide (回避)."""

    STEPPED_ASIDE = "stepped_aside"
    OWN_SIDE = "own_side"
    ACTED_BEFORE = "acted_before"


INVOLVEMENT_TEXTS: Final[Mapping[str, str]] = {
    Involvement.STEPPED_ASIDE: N_("You stepped aside in this matter; somebody else decides it."),
    Involvement.OWN_SIDE: N_("You belong to one of the sides; somebody else decides it."),
    Involvement.ACTED_BEFORE: N_("You took part in what is challenged; somebody else decides it."),
}


def involvement(
    user_id: UUID | None,
    organisation_id: UUID | None,
    *,
    stepped_aside: Collection[UUID],
    sides: Collection[UUID],
    acted_before: Collection[UUID],
) -> Involvement | None:
    """Why this person must not decide a challenge, or None. `sides` are the organisations of both sides."""
    if user_id in stepped_aside:
        return Involvement.STEPPED_ASIDE
    if organisation_id in sides:
        return Involvement.OWN_SIDE
    if user_id in acted_before:
        return Involvement.ACTED_BEFORE
    return None
