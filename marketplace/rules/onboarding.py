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


COMMITMENT_POINTS: Final = (
    "所提交的机构信息、资质证书、人员信息和证明材料真实、准确、完整、有效，信息变化时及时申请变更。",
    "在资质许可范围内承接业务，不出借、不借用资质，专职执业人员不在两个及以上机构执业。",
    "按承诺的服务内容、服务时限和收费标准提供服务，不擅自增加收费，不收取清单以外的费用。",
    "依法依规、独立客观出具成果文件，对成果质量负责，不出具虚假或者严重失实的报告。",
    "不围标串标，不恶意低价竞争，不转包，不违法分包，遵守回避规定。",
    "接受运营机构、行业主管部门和社会监督，同意依法公开入驻信息、履约记录和信用评价结果。",
)
"""The letter of commitment, an official paper: in the language of the law, like every paper that is issued."""


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
    particulars: Mapping[str, str],
    documents: Collection[str],
    certificates: int,
    *,
    is_committed: bool,
    has_representative: bool,
    has_authorised: bool,
    services: Collection[bool],
) -> tuple[ChecklistItem, ...]:
    """What is there and what is missing.

    `services` says of each chosen service whether everything that it demands is entered. A certificate as such is not required:
    some services ask for none. The letter of authority is required of an agency that names an authorised representative.
    """
    filled = all(particulars.get(name, "").strip() for name in PARTICULARS)
    required = {*REQUIRED_DOCUMENTS, *((DocumentKind.AUTHORITY,) if has_authorised else ())}
    papers = tuple(
        ChecklistItem(kind, DOCUMENT_LABELS[kind], kind in documents, kind in required) for kind in DocumentKind
    )
    return (
        ChecklistItem("particulars", N_("Particulars of the agency"), filled),
        ChecklistItem("representative", N_("Identity of the legal representative"), has_representative),
        *papers,
        ChecklistItem("services", N_("Services to be offered"), bool(services), is_required=False),
        ChecklistItem(
            "certificates",
            N_("Qualification certificates"),
            bool(certificates) or _asks_nothing(services),
            is_required=False,
        ),
        *(
            (ChecklistItem("demands", N_("Everything that the chosen services demand"), all(services)),)
            if services
            else ()
        ),
        ChecklistItem("promise", N_("Commitment signed online"), is_committed),
    )


def _asks_nothing(services: Collection[bool]) -> bool:
    return bool(services) and all(services)
