"""What operators read of carriers: who offers what, how asking goes, what a second source said, what a replay would change."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from app.kernel import clock
from app.kernel.db import db
from app.kernel.inbox import Notice
from app.kernel.words import N_
from delivery.carriers import chosen
from delivery.carriers.ems.mapping import MAPPING_VERSION
from delivery.models.parcels import Parcel
from delivery.models.replays import MappingReplay, ReplayChange, ReplayMode
from delivery.models.reports import CarrierEvent, CarrierHint
from delivery.models.second_source import SecondOpinion, SecondQuestion
from delivery.observed import Status
from delivery.ports import Capability, Carrier
from delivery.queries.meanings import STATUS_LABELS, STATUS_TONES
from delivery.states import ParcelState

CAPABILITY_LABELS: Final = {
    Capability.BOOK: (N_("Order and waybill number"), "020003"),
    Capability.CANCEL: (N_("Cancel an order"), "020006"),
    Capability.LABEL: (N_("Label as PDF"), "010004"),
    Capability.TRACK: (N_("Ask where a parcel is"), "040001"),
    Capability.PUSH: (N_("Notices of new events"), "040002"),
    Capability.SUBSCRIBE: (N_("Subscribe to notices about a number"), ""),
    Capability.PICKUP_RANGE: (N_("Whether it collects at an address"), "030005"),
    Capability.REACHABILITY: (N_("Whether it delivers to an address"), "060002"),
    Capability.ADDRESS_PARSE: (N_("Take a written address apart"), "060001"),
    Capability.FEE_ESTIMATE: (N_("Estimate of the postage"), "050005"),
    Capability.FEE_ACTUAL: (N_("Postage and weight as charged"), "050001"),
    Capability.HANDOVER_NOTICE: (N_("Announcement of what lies ready"), ""),
    Capability.FIND_BY_ORDER: (N_("Find an order by our number"), ""),
    Capability.MODIFY: (N_("Change or intercept an order"), ""),
    Capability.DELIVERY_ESTIMATE: (N_("When it will arrive"), ""),
    Capability.PROOF_IMAGE: (N_("Picture of the signature"), ""),
    Capability.BILL_FILE: (N_("Monthly bill as a file"), ""),
    Capability.CHOSEN_DAY: (N_("Delivery on the day that the receiver chose"), "020003"),
    Capability.COLLECTION_POINT: (N_("Delivery to a collection point (else as address and remark)"), ""),
}
CARRIER_NAMES: Final = {"ems": N_("EMS (China Post)"), "kuaidi100": N_("kuaidi100 (second source of tracking)")}


@dataclass(frozen=True)
class CarrierView:
    """A configured carrier. `label` and the capabilities' labels are catalogue messages."""

    code: str
    label: str
    is_simulated: bool
    offers: frozenset[Capability]


def carriers() -> tuple[CarrierView, ...]:
    """The carrier of this installation and, where configured, the second source."""
    second = chosen.second_source()
    return tuple(_carrier_view(each) for each in (chosen.carrier(), second) if each is not None)


def _carrier_view(carrier: Carrier) -> CarrierView:
    label = CARRIER_NAMES.get(carrier.code, carrier.code)
    return CarrierView(carrier.code, label, chosen.is_demonstration(), carrier.capabilities)


@dataclass(frozen=True)
class AskingView:
    """How asking goes right now. Counts of parcels, notices and announced events; moments in UTC."""

    watched: int
    due: int
    oldest_due_at: datetime | None
    failing: int
    last_answer_at: datetime | None
    notices_waiting: int
    oldest_notice_at: datetime | None
    unconfirmed: int
    questions: int
    problems: tuple[tuple[str, int], ...]


def asking() -> AskingView:
    """Five statements."""
    now = clock.now()
    watched = Parcel.state.in_((ParcelState.HANDED_OVER, ParcelState.DELIVERED, ParcelState.CLOSED))
    due = sa.and_(Parcel.next_poll_at <= now, watched)
    parcels = db.session.execute(
        sa.select(
            sa.func.count().filter(Parcel.next_poll_at.is_not(None), watched), sa.func.count().filter(due),
            sa.func.min(Parcel.next_poll_at).filter(due), sa.func.count().filter(Parcel.check_problem.is_not(None), watched),
            sa.func.max(Parcel.last_checked_at),
        )
    ).one()  # fmt: skip
    waiting = db.session.execute(
        sa.select(sa.func.count(), sa.func.min(Notice.received_at)).where(
            Notice.source.in_(("ems", "kuaidi100")), Notice.done_at.is_(None)
        )
    ).one()
    hints = db.session.scalar(
        sa.select(sa.func.count()).select_from(CarrierHint).where(CarrierHint.confirmed_at.is_(None))
    )
    questions = db.session.scalar(sa.select(sa.func.count()).select_from(SecondQuestion))
    count = sa.func.count()
    problems = db.session.execute(
        sa.select(Parcel.check_problem, count).where(Parcel.check_problem.is_not(None), watched)
        .group_by(Parcel.check_problem).order_by(count.desc()).limit(5)
    )  # fmt: skip
    return AskingView(
        *parcels, *waiting, hints or 0, questions or 0, tuple((str(text), number) for text, number in problems)
    )


# --- the second source's opinions ---


@dataclass(frozen=True)
class OpinionView:
    """One answer of the second source."""

    source: str
    asked_at: datetime
    status_label: str
    tone: str
    since: datetime | None
    told: str
    problem: str | None


def opinions_of(parcel_id: UUID, limit: int = 5) -> tuple[OpinionView, ...]:
    """The newest answers about a parcel."""
    statement = sa.select(SecondOpinion).where(SecondOpinion.parcel_id == parcel_id)
    rows = db.session.scalars(statement.order_by(SecondOpinion.asked_at.desc()).limit(limit))
    return tuple(_opinion_view(row) for row in rows)


def _opinion_view(row: SecondOpinion) -> OpinionView:
    status = Status(row.status) if row.status else None
    return OpinionView(
        CARRIER_NAMES.get(row.source, row.source), row.asked_at, STATUS_LABELS[status] if status else N_("Nothing known"),
        STATUS_TONES.get(status, "neutral") if status else "neutral", row.since, row.told, row.problem,
    )  # fmt: skip


# --- replays ---


MODE_LABELS: Final = {ReplayMode.TRIAL: N_("Trial, nothing is written"), ReplayMode.REAL: N_("For good")}


@dataclass(frozen=True)
class ReplayView:
    """One pass over the stored reports."""

    id: UUID
    mode: str
    mode_label: str
    mapping_version: str
    asked_at: datetime
    asked_name: str
    reason: str | None
    parcels: int
    reports: int
    changed_reports: int
    changed_parcels: int
    unreadable: int
    finished_at: datetime | None

    @property
    def is_running(self) -> bool:
        """Whether the job still goes through the parcels."""
        return self.finished_at is None


@dataclass(frozen=True)
class ChangeView:
    """A parcel that the pass reads otherwise."""

    parcel_id: UUID
    number: str
    before: str
    after: str
    before_tone: str
    after_tone: str
    since_before: datetime | None
    since_after: datetime | None
    codes: str


@dataclass(frozen=True)
class MappingView:
    """The present mapping and how many stored reports were read by which."""

    version: str
    readings: tuple[tuple[str, int], ...]

    @property
    def outdated(self) -> int:
        """Reports read by another mapping than the present one."""
        return sum(count for version, count in self.readings if version != self.version)


def mapping_in_use() -> MappingView:
    """One statement over the versions."""
    count = sa.func.count()
    rows = db.session.execute(
        sa.select(CarrierEvent.mapping_version, count).group_by(CarrierEvent.mapping_version).order_by(count.desc())
    )
    return MappingView(MAPPING_VERSION, tuple((version, number) for version, number in rows))


def replays(limit: int = 10) -> tuple[ReplayView, ...]:
    """The newest passes."""
    rows = db.session.scalars(sa.select(MappingReplay).order_by(MappingReplay.asked_at.desc()).limit(limit))
    return tuple(_replay_view(row) for row in rows)


def _replay_view(row: MappingReplay) -> ReplayView:
    return ReplayView(
        row.id, row.mode, MODE_LABELS[ReplayMode(row.mode)], row.mapping_version, row.asked_at, row.asked_name, row.reason,
        row.parcels, row.reports, row.changed_reports, row.changed_parcels, row.unreadable, row.finished_at,
    )  # fmt: skip


def changes_statement(replay_id: UUID) -> sa.Select[ReplayChange, str]:
    """The parcels of a pass that are read otherwise, to be paged."""
    return (
        sa.select(ReplayChange, Parcel.number)
        .join(Parcel, Parcel.id == ReplayChange.parcel_id)
        .where(ReplayChange.replay_id == replay_id)
        .order_by(Parcel.number)
    )


def change_views(rows: list[sa.Row[ReplayChange, str]]) -> tuple[ChangeView, ...]:
    """Rows of `changes_statement` as they are shown."""
    return tuple(
        ChangeView(
            row.parcel_id, number, STATUS_LABELS[Status(row.status_before)], STATUS_LABELS[Status(row.status_after)],
            STATUS_TONES.get(Status(row.status_before), "neutral"), STATUS_TONES.get(Status(row.status_after), "neutral"),
            row.since_before, row.since_after, row.codes,
        )
        for row, number in rows
    )  # fmt: skip
