"""What an agency's admission file must hold before it can be submitted. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from stdnum.cn import uscc as credit_code
from stdnum.exceptions import ValidationError as NotACode

from app.kernel.words import N_
from marketplace.rules.people import plain_characters


class AgencyKind(StrEnum):
    """What kind of body an agency is."""

    ENTERPRISE = "enterprise"
    INSTITUTION = "institution"
    SOCIAL_ORGANISATION = "social_organisation"
    SELF_EMPLOYED = "self_employed"


AGENCY_KIND_LABELS: Final[dict[AgencyKind, str]] = {
    AgencyKind.ENTERPRISE: N_("Enterprise"),
    AgencyKind.INSTITUTION: N_("Public institution"),
    AgencyKind.SOCIAL_ORGANISATION: N_("Social organisation"),
    AgencyKind.SELF_EMPLOYED: N_("Self-employed business"),
}


class DocumentKind(StrEnum):
    """Papers of the admission file; certificates are kept apart, each with its expiry."""

    LICENCE = "licence"
    REPRESENTATIVE_ID = "representative_id"
    COMMITMENT = "commitment"
    AUTHORITY = "authority"


DOCUMENT_LABELS: Final[dict[DocumentKind, str]] = {
    DocumentKind.LICENCE: N_("Business licence"),
    DocumentKind.REPRESENTATIVE_ID: N_("Identity card of the legal representative (both sides)"),
    DocumentKind.COMMITMENT: N_("Letter of commitment, signed and stamped"),
    DocumentKind.AUTHORITY: N_("Letter of authority of the representative"),
}
REQUIRED_DOCUMENTS: Final = (DocumentKind.LICENCE, DocumentKind.REPRESENTATIVE_ID, DocumentKind.COMMITMENT)

PARTICULARS: Final[dict[str, str]] = {
    "address": N_("Registered address"),
    "legal_representative": N_("Legal representative"),
    "contact_name": N_("Contact"),
    "contact_mobile": N_("Mobile number"),
    "contact_email": N_("E-mail address"),
}

COMMITMENT_TEXT: Final = N_(
    "We promise that everything in this file is true and complete; that we keep to the promised time limits, prices and"
    " quality; that we neither lend nor borrow qualifications, nor collude; and that we accept supervision and publication"
    " of our record."
)


class InvalidCreditCode(ValueError):
    """Not a unified social credit code: wrong length, characters or check digit."""


def normal_credit_code(text: str) -> str:
    """The unified social credit code (GB 32100-2015) in capitals without blanks, typed in full width or not.

    Raises InvalidCreditCode.
    """
    try:
        return str(credit_code.validate(plain_characters(text).upper()))
    except NotACode as failure:
        raise InvalidCreditCode(text) from failure


@dataclass(frozen=True, slots=True)
class ChecklistItem:
    """One line of the checklist. `key` names it to programs, `label` to people (a message id)."""

    key: str
    label: str
    is_done: bool
    is_required: bool = True


def checklist(
    particulars: Mapping[str, str], documents: Collection[str], certificates: int, *, is_committed: bool
) -> tuple[ChecklistItem, ...]:
    """What is there and what is missing. Certificates are not required: some services ask for none."""
    filled = all(particulars.get(name, "").strip() for name in PARTICULARS)
    papers = tuple(
        ChecklistItem(kind, DOCUMENT_LABELS[kind], kind in documents, kind in REQUIRED_DOCUMENTS)
        for kind in DocumentKind
    )
    return (
        ChecklistItem("particulars", N_("Particulars of the agency"), filled),
        *papers,
        ChecklistItem("certificates", N_("Qualification certificates"), certificates > 0, is_required=False),
        ChecklistItem("promise", N_("Commitment signed online"), is_committed),
    )


def is_complete(items: Collection[ChecklistItem]) -> bool:
    """Whether the file may be submitted."""
    return all(item.is_done for item in items if item.is_required)
