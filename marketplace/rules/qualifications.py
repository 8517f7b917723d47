"""Whether an agency's certificates meet the qualification an item asks for.

A rule is plain JSON, so that it can be stored with the item version and shown to anybody:
`{}` asks for nothing; `{"kind": "surveying", "grade": "B"}` for one certificate of at least that grade;
`{"all": [...]}` and `{"any": [...]}` combine rules. A certificate counts only while it is valid on the day asked about.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final

from app.kernel.words import N_


class QualificationKind(StrEnum):
    """Kinds of certificates that items ask for."""

    CONSULTING = "consulting"
    DESIGN = "design"
    GEOTECHNICAL = "geotechnical"
    MAPPING = "mapping"
    PLANNING = "planning"
    CMA = "cma"
    EIA_ENGINEER = "eia_engineer"
    WATER_CONSULTING = "water_consulting"
    SOIL_MONITORING = "soil_monitoring"
    GEOHAZARD = "geohazard"
    GEOLOGICAL_EXPLORATION = "geological_exploration"
    FORESTRY = "forestry"
    SEA_USE = "sea_use"
    DRAWING_REVIEW = "drawing_review"
    CIVIL_DEFENCE_REVIEW = "civil_defence_review"
    CIVIL_DEFENCE_SUPERVISION = "civil_defence_supervision"
    SUPERVISION = "supervision"
    STRUCTURAL_APPRAISAL = "structural_appraisal"
    COST_ENGINEER = "cost_engineer"
    CONSTRUCTION_TESTING = "construction_testing"
    FIRE_TESTING = "fire_testing"
    LIGHTNING_TESTING = "lightning_testing"
    SAFETY_ASSESSMENT = "safety_assessment"
    OCCUPATIONAL_HEALTH = "occupational_health"
    RADIATION_HEALTH = "radiation_health"
    SEISMIC = "seismic"
    ARCHAEOLOGY = "archaeology"
    ACCOUNTING_FIRM = "accounting_firm"
    VALUATION = "valuation"
    SPECIAL_EQUIPMENT = "special_equipment"


_K = QualificationKind

QUALIFICATION_LABELS: Final[dict[QualificationKind, str]] = {
    _K.CONSULTING: N_("Engineering consulting filing"),
    _K.DESIGN: N_("Engineering design licence"),
    _K.GEOTECHNICAL: N_("Engineering survey licence"),
    _K.MAPPING: N_("Surveying and mapping licence"),
    _K.PLANNING: N_("Urban and rural planning licence"),
    _K.CMA: N_("Inspection body accreditation (CMA)"),
    _K.EIA_ENGINEER: N_("Full-time environmental impact engineer"),
    _K.WATER_CONSULTING: N_("Water engineering consulting filing"),
    _K.SOIL_MONITORING: N_("Soil and water monitoring capability"),
    _K.GEOHAZARD: N_("Geological hazard assessment licence"),
    _K.GEOLOGICAL_EXPLORATION: N_("Geological exploration capability"),
    _K.FORESTRY: N_("Forestry survey and planning capability"),
    _K.SEA_USE: N_("Sea-use assessment capability"),
    _K.DRAWING_REVIEW: N_("Construction drawing review body"),
    _K.CIVIL_DEFENCE_REVIEW: N_("Civil defence drawing review approval"),
    _K.CIVIL_DEFENCE_SUPERVISION: N_("Civil defence supervision licence"),
    _K.SUPERVISION: N_("Construction supervision licence"),
    _K.STRUCTURAL_APPRAISAL: N_("Structural and seismic appraisal capability"),
    _K.COST_ENGINEER: N_("Registered cost engineer"),
    _K.CONSTRUCTION_TESTING: N_("Construction quality testing licence"),
    _K.FIRE_TESTING: N_("Fire-safety technical service conditions"),
    _K.LIGHTNING_TESTING: N_("Lightning protection testing licence"),
    _K.SAFETY_ASSESSMENT: N_("Safety assessment body licence"),
    _K.OCCUPATIONAL_HEALTH: N_("Occupational health technical service licence"),
    _K.RADIATION_HEALTH: N_("Radiation health technical service licence"),
    _K.SEISMIC: N_("Seismic safety evaluation capability"),
    _K.ARCHAEOLOGY: N_("Archaeological excavation licence"),
    _K.ACCOUNTING_FIRM: N_("Accounting firm practice licence"),
    _K.VALUATION: N_("Appraisal body filing"),
    _K.SPECIAL_EQUIPMENT: N_("Special equipment inspection body approval"),
}

# Best first. A certificate without a grade meets a rule that names none.
GRADES: Final[tuple[str, ...]] = ("A", "B", "C", "D")
GRADE_LABELS: Final[dict[str, str]] = {
    "A": N_("Grade A"),
    "B": N_("Grade B"),
    "C": N_("Grade C"),
    "D": N_("Grade D"),
    "": N_("No grade"),
}

Rule = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Certificate:
    """What the rule looks at: `expires_on` is the last day of validity (None: unlimited), `is_valid` the checked state."""

    kind: str
    grade: str
    expires_on: date | None
    is_valid: bool


@dataclass(frozen=True, slots=True)
class Requirement:
    """One certificate that a rule asks for, and how it is met: `met_by` is the index of the certificate, None when unmet.

    `cause` is "missing", "grade", "expired" or "unchecked" when unmet, else "".
    """

    kind: str
    grade: str
    met_by: int | None
    cause: str


@dataclass(frozen=True, slots=True)
class Eligibility:
    """The decision and, for each certificate looked for, why."""

    is_eligible: bool
    requirements: tuple[Requirement, ...]

    @property
    def unmet(self) -> tuple[Requirement, ...]:
        """What is missing; empty when eligible."""
        return () if self.is_eligible else tuple(r for r in self.requirements if r.met_by is None)


def meets(rule: Rule, certificates: Sequence[Certificate], on: date) -> Eligibility:
    """Decide whether `certificates` meet `rule` on the Beijing day `on`. Raises ValueError for a rule of unknown shape."""
    if not rule:
        return Eligibility(is_eligible=True, requirements=())
    if "all" in rule:
        parts = [meets(part, certificates, on) for part in rule["all"]]
        return Eligibility(all(p.is_eligible for p in parts), _flat(parts))
    if "any" in rule:
        parts = [meets(part, certificates, on) for part in rule["any"]]
        return Eligibility(any(p.is_eligible for p in parts), _flat(parts))
    if "kind" in rule:
        requirement = _look_for(str(rule["kind"]), str(rule.get("grade", "")), certificates, on)
        return Eligibility(requirement.met_by is not None, (requirement,))
    raise ValueError(f"not a qualification rule: {dict(rule)!r}")


def check_rule(rule: Rule) -> None:
    """Refuse a rule nobody could ever read: unknown shape, kind or grade, or an empty list. Raises ValueError."""
    if not rule:
        return
    for joint in ("all", "any"):
        if joint in rule:
            if set(rule) != {joint} or not rule[joint]:
                raise ValueError(f"not a qualification rule: {dict(rule)!r}")
            for part in rule[joint]:
                check_rule(part)
            return
    if not set(rule) <= {"kind", "grade"} or rule.get("kind") not in set(QualificationKind):
        raise ValueError(f"not a qualification rule: {dict(rule)!r}")
    if rule.get("grade", "") not in {"", *GRADES}:
        raise ValueError(f"unknown grade: {rule['grade']!r}")


def kinds_asked(rule: Rule) -> frozenset[str]:
    """Every kind of certificate that `rule` names."""
    if "kind" in rule:
        return frozenset({str(rule["kind"])})
    return frozenset(kind for joint in ("all", "any") for part in rule.get(joint, ()) for kind in kinds_asked(part))


def _flat(parts: Iterable[Eligibility]) -> tuple[Requirement, ...]:
    return tuple(requirement for part in parts for requirement in part.requirements)


def _look_for(kind: str, grade: str, certificates: Sequence[Certificate], on: date) -> Requirement:
    # The cause that is told is the one nearest to being met, so that the agency knows what to do.
    cause = "missing"
    order = ("missing", "grade", "unchecked", "expired")
    for index, certificate in enumerate(certificates):
        if certificate.kind != kind:
            continue
        found = _objection(certificate, grade, on)
        if not found:
            return Requirement(kind, grade, index, "")
        cause = max(cause, found, key=order.index)
    return Requirement(kind, grade, None, cause)


def _objection(certificate: Certificate, grade: str, on: date) -> str:
    if grade and (certificate.grade not in GRADES or GRADES.index(certificate.grade) > GRADES.index(grade)):
        return "grade"
    if certificate.expires_on is not None and certificate.expires_on < on:
        return "expired"
    return "" if certificate.is_valid else "unchecked"
