"""Inputs of the procurement use cases, frozen; the web and the demonstration build them."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from app.kernel.files import Upload
from marketplace.rules.selection.terms import MethodTerms


@dataclass(frozen=True)
class Avoided:
    """A declared conflict: the agency by its unified social credit code, and why."""

    uscc: str
    reason: str


@dataclass(frozen=True)
class Justification:
    """Why a purchase needs a phrase that looks like a hidden threshold; `key` is that of the finding."""

    key: str
    reason: str


@dataclass(frozen=True)
class NoticeDraft:
    """Everything an owner states in a purchase notice. Amounts in fen, `limit_wd` in working days, the deadline aware.

    `demanded_grade` raises the item's own qualification rule; `demanded_region` is a division code, "" for anywhere.
    `case_subject` ("case:<uuid>") and `thread_id` come from an approval case that needs the deliverable.
    """

    item_version_id: UUID
    title: str
    project_name: str
    region_code: str
    content: str
    limit_wd: int
    fund_source: str
    budget_fen: int
    price_fen: int
    registration_ends_at: datetime
    contact_name: str
    contact_phone: str
    complaint_phone: str
    project_code: str | None = None
    place: str | None = None
    scale: str | None = None
    ceiling_fen: int | None = None
    amount_note: str | None = None
    demanded_grade: str = ""
    demanded_region: str = ""
    avoided: tuple[Avoided, ...] = ()
    method: str = "random"
    method_terms: MethodTerms = field(default_factory=MethodTerms)
    has_witness: bool = False
    case_subject: str | None = None
    thread_id: UUID | None = None
    justifications: tuple[Justification, ...] = ()
    version: int | None = None


@dataclass(frozen=True)
class Revise:
    """A change of a published notice: the whole notice as it shall read, and why it changes."""

    notice: NoticeDraft
    reason: str
    version: int | None = None


@dataclass(frozen=True)
class Ask:
    """A question about a notice."""

    text: str
    version: int | None = None


@dataclass(frozen=True)
class Answer:
    """The owner's answer to a question."""

    answer: str
    version: int | None = None


@dataclass(frozen=True)
class Extend:
    """A later deadline for a failed registration."""

    registration_ends_at: datetime
    version: int | None = None


@dataclass(frozen=True)
class Register:
    """An agency's registration. `contribution`: 64 hex digits for the draw; all zeros when it does not care."""

    contribution: str = "0" * 64
    version: int | None = None


@dataclass(frozen=True)
class EnterValue:
    """One person's reading of an announced public value."""

    source: str
    value: str
    version: int | None = None


@dataclass(frozen=True)
class ScoredRow:
    """An owner's scores for one agency: (points 0..100, reason) in the order of the judged criteria."""

    registration_id: UUID
    scores: tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class HandInComparison:
    """A whole comparison sheet: one row for every agency that is compared."""

    rows: tuple[ScoredRow, ...]
    version: int | None = None


@dataclass(frozen=True)
class ChooseAgency:
    """The owner's choice from the small list, with its reason."""

    registration_id: UUID
    reason: str
    version: int | None = None


@dataclass(frozen=True)
class RequestDirect:
    """A request for a direct selection. `uscc` names the agency; `document` is the record of the collective decision."""

    ground: str
    uscc: str
    reason: str
    document: Upload | None = None
    version: int | None = None
