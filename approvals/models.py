"""Tables of approval items, cases, demanded deliverables, special procedures, certificates and service of the result."""

from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, Stateful, UTCDateTime, Versioned, append_only, state_checks, uuid_fk, uuid_pk
from approvals.states import CASE, CERTIFICATE, SERVICE, ServiceMode, Signatory


class ApprovalItem(Base):
    """One kind of approval (审批事项) that a department decides.

    `statutory_limit_wd` is the law's limit in working days, `promised_limit_wd` the department's shorter promise.
    `certificate_title` is what the result is called, e.g. 建设工程规划许可证.
    """

    __tablename__ = "approval_item"

    id: Mapped[UUID] = uuid_pk()
    code: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    name_en: Mapped[str] = mapped_column(String(200))
    department_organisation_id: Mapped[UUID] = uuid_fk("organisation.id")
    legal_basis: Mapped[str] = mapped_column(String(500))
    statutory_limit_wd: Mapped[int] = mapped_column(Integer)
    promised_limit_wd: Mapped[int] = mapped_column(Integer)
    certificate_title: Mapped[str] = mapped_column(String(120))
    materials: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)

    __table_args__ = (
        CheckConstraint("promised_limit_wd > 0 AND promised_limit_wd <= statutory_limit_wd", name="promise_within_law"),
    )


class Case(Versioned, Stateful, Base):
    """One application (办件). `thread_id` is the journey that a linked procurement, contract and parcel share.

    `limit_wd` is the statutory limit, `promised_limit_wd` the department's promise; `limit_on` and `promised_on` are their
    stored last days (Beijing dates), computed again when a special procedure ends. `serve_by` is the last moment for serving the result. `query_code` opens the
    public progress page together with the number.
    """

    __tablename__ = "approval_case"
    object_type: ClassVar[str] = "case"

    id: Mapped[UUID] = uuid_pk()
    thread_id: Mapped[UUID] = mapped_column(index=True)
    number: Mapped[str] = mapped_column(String(24), unique=True)
    query_code: Mapped[str] = mapped_column(String(12))
    item_id: Mapped[UUID] = uuid_fk("approval_item.id")
    department_organisation_id: Mapped[UUID] = uuid_fk("organisation.id", index=False)
    hall_organisation_id: Mapped[UUID] = uuid_fk("organisation.id", index=False)
    applicant_user_id: Mapped[UUID] = uuid_fk("app_user.id", index=False)
    applicant_organisation_id: Mapped[UUID | None] = uuid_fk("organisation.id", nullable=True, index=False)
    applicant_name: Mapped[str] = mapped_column(String(200))
    project_name: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text, default="")
    rule_book_version: Mapped[int] = mapped_column(Integer)
    limit_wd: Mapped[int] = mapped_column(Integer)
    promised_limit_wd: Mapped[int] = mapped_column(Integer)
    special_procedures_count: Mapped[bool]
    state: Mapped[str] = mapped_column(String(24))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    received_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    accepted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    correction_note: Mapped[str | None] = mapped_column(Text)
    clock_starts_on: Mapped[date | None] = mapped_column(Date)
    limit_on: Mapped[date | None] = mapped_column(Date)
    promised_on: Mapped[date | None] = mapped_column(Date)
    limit_provisional: Mapped[bool] = mapped_column(default=False)
    overdue_since: Mapped[date | None] = mapped_column(Date)
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    decided_on: Mapped[date | None] = mapped_column(Date)
    decided_by_name: Mapped[str | None] = mapped_column(String(120))
    decision_text: Mapped[str | None] = mapped_column(Text)
    serve_by: Mapped[datetime | None] = mapped_column(UTCDateTime)
    served_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    serve_overdue_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    __table_args__ = (
        Index("ix_approval_case_department", "department_organisation_id", "state", "limit_on"),
        Index("ix_approval_case_hall", "hall_organisation_id", "state", "created_at"),
        Index("ix_approval_case_applicant", "applicant_user_id", "created_at"),
        Index("ix_approval_case_organisation", "applicant_organisation_id", "created_at"),
        *state_checks(CASE),
    )

    @property
    def subject(self) -> str:
        """What marketplace, payments and delivery know this case by."""
        return f"case:{self.id}"

    def audience(self) -> tuple[str, ...]:
        """The applicant, the department, the hall's window and certificate centre, and those who watch the time limits."""
        readers = [
            f"user:{self.applicant_user_id}",
            f"org:{self.department_organisation_id}",
            f"org:{self.hall_organisation_id}",
            "role:certificate_centre",
            "role:regulator",
            "role:auditor",
        ]
        if self.applicant_organisation_id:
            readers.append(f"org:{self.applicant_organisation_id}")
        return tuple(readers)


class DemandedDeliverable(Base):
    """An intermediary service that the department demands for this case: always a version of the published item list.

    The foreign key is what makes a demand outside the list (清单外事项) impossible, whoever writes the row.
    """

    __tablename__ = "approval_demand"

    id: Mapped[UUID] = uuid_pk()
    case_id: Mapped[UUID] = uuid_fk("approval_case.id")
    item_version_id: Mapped[UUID] = uuid_fk("item_version.id")
    item_id: Mapped[UUID] = uuid_fk("service_item.id", index=False)
    item_name: Mapped[str] = mapped_column(String(120))
    reason: Mapped[str] = mapped_column(Text)
    demanded_by_name: Mapped[str] = mapped_column(String(120))
    demanded_at: Mapped[datetime] = mapped_column(UTCDateTime)
    procurement_id: Mapped[UUID | None] = mapped_column(index=True)
    contract_id: Mapped[UUID | None]
    file_id: Mapped[UUID | None]
    file_title: Mapped[str | None] = mapped_column(String(200))
    met_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    __table_args__ = (
        UniqueConstraint("case_id", "item_id"),
        CheckConstraint("(met_at IS NULL) = (file_id IS NULL)", name="met_with_file"),
    )


class SpecialProcedure(Base):
    """A hearing, inspection, test or expert review (特别程序): the applicant was told in writing when it began."""

    __tablename__ = "approval_special_procedure"

    id: Mapped[UUID] = uuid_pk()
    case_id: Mapped[UUID] = uuid_fk("approval_case.id")
    reason: Mapped[str] = mapped_column(Text)
    starts_on: Mapped[date] = mapped_column(Date)
    ends_on: Mapped[date | None] = mapped_column(Date)
    started_by_name: Mapped[str] = mapped_column(String(120))

    __table_args__ = (CheckConstraint("ends_on IS NULL OR ends_on >= starts_on", name="in_order"),)


class Certificate(Versioned, Stateful, Base):
    """The print task and the paper: one row per piece, its `serial` is never used twice. `document_id` is the issued PDF."""

    __tablename__ = "approval_certificate"
    object_type: ClassVar[str] = "certificate"

    id: Mapped[UUID] = uuid_pk()
    thread_id: Mapped[UUID]
    case_id: Mapped[UUID] = uuid_fk("approval_case.id")
    hall_organisation_id: Mapped[UUID] = uuid_fk("organisation.id", index=False)
    applicant_user_id: Mapped[UUID]
    title: Mapped[str] = mapped_column(String(120))
    serial: Mapped[str | None] = mapped_column(String(32), unique=True)
    document_id: Mapped[UUID | None]
    state: Mapped[str] = mapped_column(String(16))
    queued_at: Mapped[datetime] = mapped_column(UTCDateTime)
    printed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    printed_by_name: Mapped[str | None] = mapped_column(String(120))

    __table_args__ = (
        Index("ix_approval_certificate_queue", "hall_organisation_id", "state", "queued_at"),
        *state_checks(CERTIFICATE),
    )

    def audience(self) -> tuple[str, ...]:
        """The applicant, the hall and the certificate centre."""
        return (f"user:{self.applicant_user_id}", f"org:{self.hall_organisation_id}", "role:certificate_centre")


class ResultService(Versioned, Stateful, Base):
    """How the result reaches the applicant (送达), captured once with the application.

    For a courier it holds the receiver and the letter of authority (委托书) in the version that was accepted; the parcel
    itself belongs to the delivery domain.
    """

    __tablename__ = "approval_service"
    object_type: ClassVar[str] = "service"

    id: Mapped[UUID] = uuid_pk()
    thread_id: Mapped[UUID]
    case_id: Mapped[UUID] = uuid_fk("approval_case.id", index=False)
    hall_organisation_id: Mapped[UUID] = uuid_fk("organisation.id", index=False)
    applicant_user_id: Mapped[UUID]
    applicant_organisation_id: Mapped[UUID | None]
    mode: Mapped[str] = mapped_column(String(16))
    receiver_name: Mapped[str | None] = mapped_column(String(60))
    receiver_mobile: Mapped[str | None] = mapped_column(String(20))
    prov: Mapped[str | None] = mapped_column(String(40))
    city: Mapped[str | None] = mapped_column(String(40))
    county: Mapped[str | None] = mapped_column(String(40))
    address: Mapped[str | None] = mapped_column(String(200))
    who_may_sign: Mapped[str | None] = mapped_column(String(8))
    mandate_version: Mapped[str | None] = mapped_column(String(20))
    mandate_accepted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    collection_point_id: Mapped[UUID | None]
    fee_mode: Mapped[str | None] = mapped_column(String(12))
    parcel_id: Mapped[UUID | None]
    serve_alarm_wd: Mapped[int | None]
    state: Mapped[str] = mapped_column(String(16))
    chosen_at: Mapped[datetime] = mapped_column(UTCDateTime)
    served_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    signer_name: Mapped[str | None] = mapped_column(String(120))
    signer_class: Mapped[str | None] = mapped_column(String(20))

    __table_args__ = (
        Index("uq_approval_service_case", "case_id", unique=True),
        CheckConstraint(f"mode IN ({', '.join(repr(str(mode)) for mode in ServiceMode)})", name="mode"),
        CheckConstraint(
            f"who_may_sign IS NULL OR who_may_sign IN ({', '.join(repr(str(who)) for who in Signatory)})",
            name="who_may_sign",
        ),
        CheckConstraint(
            "mode <> 'courier' OR (receiver_name IS NOT NULL AND receiver_mobile IS NOT NULL AND prov IS NOT NULL"
            " AND city IS NOT NULL AND county IS NOT NULL AND address IS NOT NULL AND who_may_sign IS NOT NULL"
            " AND mandate_accepted_at IS NOT NULL)",
            name="courier_complete",
        ),
        CheckConstraint(
            "mode <> 'deposit' OR (receiver_name IS NOT NULL AND receiver_mobile IS NOT NULL"
            " AND collection_point_id IS NOT NULL AND who_may_sign IS NOT NULL AND mandate_accepted_at IS NOT NULL)",
            name="deposit_complete",
        ),
        *state_checks(SERVICE),
    )

    def audience(self) -> tuple[str, ...]:
        """The applicant, the hall and the certificate centre."""
        readers = (f"user:{self.applicant_user_id}", f"org:{self.hall_organisation_id}", "role:certificate_centre")
        return (*readers, f"org:{self.applicant_organisation_id}") if self.applicant_organisation_id else readers


class CaseMaterial(Base):
    """A file the applicant handed in with the application or a correction."""

    __tablename__ = "approval_material"

    id: Mapped[UUID] = uuid_pk()
    case_id: Mapped[UUID] = uuid_fk("approval_case.id")
    file_id: Mapped[UUID]
    file_name: Mapped[str] = mapped_column(String(200))
    file_sha256: Mapped[str] = mapped_column(String(64))
    uploaded_at: Mapped[datetime] = mapped_column(UTCDateTime)


append_only(CaseMaterial)
