"""Whether an agency's certificates and staff meet the qualification an item asks for.

A rule is plain JSON, so that it can be stored with the item version and shown to anybody:
`{}` asks for nothing; `{"kind": "surveying", "grade": "B"}` for one certificate of the agency of at least that grade;
`{"staff": "cost_engineer", "count": 2}` for so many full-time practitioners with that practising certificate (each person
counts once); `{"all": [...]}` and `{"any": [...]}` combine rules. A certificate counts only while it is valid on the day
asked about. The answer is a tree of the same shape with a reason for each part.
"""

from collections.abc import Iterator, Mapping, Sequence
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


class PractisingKind(StrEnum):
    """Kinds of practising certificates (执业资格) that persons hold."""

    CONSULTING_ENGINEER = "registered_consulting_engineer"
    SURVEYOR = "registered_surveyor"
    GEOTECHNICAL_ENGINEER = "registered_geotechnical_engineer"
    ARCHITECT = "registered_architect"
    STRUCTURAL_ENGINEER = "registered_structural_engineer"
    PLANNER = "registered_planner"
    EIA_PRACTITIONER = "registered_eia_engineer"
    COST_PRACTITIONER = "registered_cost_engineer"
    SUPERVISOR = "registered_supervision_engineer"
    SAFETY_ENGINEER = "registered_safety_engineer"
    FIRE_ENGINEER = "registered_fire_engineer"
    ACCOUNTANT = "certified_public_accountant"
    ASSET_VALUER = "asset_valuer"
    LAND_VALUER = "real_estate_valuer"


_S = PractisingKind

PRACTISING_LABELS: Final[dict[PractisingKind, str]] = {
    _S.CONSULTING_ENGINEER: N_("Registered consulting engineer"),
    _S.SURVEYOR: N_("Registered surveyor"),
    _S.GEOTECHNICAL_ENGINEER: N_("Registered geotechnical engineer"),
    _S.ARCHITECT: N_("Registered architect"),
    _S.STRUCTURAL_ENGINEER: N_("Registered structural engineer"),
    _S.PLANNER: N_("Registered urban planner"),
    _S.EIA_PRACTITIONER: N_("Environmental impact assessment engineer"),
    _S.COST_PRACTITIONER: N_("Cost engineer, first class"),
    _S.SUPERVISOR: N_("Registered supervision engineer"),
    _S.SAFETY_ENGINEER: N_("Registered safety engineer"),
    _S.FIRE_ENGINEER: N_("Registered fire engineer"),
    _S.ACCOUNTANT: N_("Certified public accountant"),
    _S.ASSET_VALUER: N_("Asset valuer"),
    _S.LAND_VALUER: N_("Real estate valuer"),
}
CERTIFICATE_LABELS: Final[Mapping[str, str]] = {
    str(kind): label for labels in (QUALIFICATION_LABELS, PRACTISING_LABELS) for kind, label in labels.items()
}
"""Words of every kind of certificate, an agency's or a person's."""

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
    """What the rule looks at: `expires_on` is the last day of validity (None: unlimited), `is_valid` the checked state.

    `holder` names the practitioner who holds it, "" for the agency itself.
    """

    kind: str
    grade: str
    expires_on: date | None
    is_valid: bool
    holder: str = ""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One leaf of a rule, and how it is met: `met_by` is the index of a certificate that meets it, None when unmet.

    `cause` is "missing", "grade", "unchecked", "expired" or "too-few" when unmet, else "". `count` is how many practitioners are
    asked for (0: a certificate of the agency), `found` how many there are.
    """

    kind: str
    grade: str
    met_by: int | None
    cause: str
    count: int = 0
    found: int = 0


@dataclass(frozen=True, slots=True)
class Node:
    """One part of an evaluated rule: `joint` is "all", "any" or "" for a leaf, which then carries its `requirement`."""

    joint: str
    is_met: bool
    parts: tuple["Node", ...] = ()
    requirement: Requirement | None = None


@dataclass(frozen=True, slots=True)
class Eligibility:
    """The decision, the tree it follows from, and its leaves in their order."""

    is_eligible: bool
    requirements: tuple[Requirement, ...]
    tree: Node

    @property
    def unmet(self) -> tuple[Requirement, ...]:
        """What is missing; empty when eligible."""
        return () if self.is_eligible else tuple(r for r in self.requirements if r.met_by is None)


def meets(rule: Rule, certificates: Sequence[Certificate], on: date) -> Eligibility:
    """Decide whether `certificates` meet `rule` on the Beijing day `on`. Raises ValueError for a rule of unknown shape."""
    tree = explain(rule, certificates, on)
    return Eligibility(tree.is_met, tuple(_leaves(tree)), tree)


def explain(rule: Rule, certificates: Sequence[Certificate], on: date) -> Node:
    """The rule evaluated part by part; an empty rule is met. Raises ValueError for a rule of unknown shape."""
    if not rule:
        return Node("all", is_met=True)
    for joint, decide in (("all", all), ("any", any)):
        if joint in rule:
            parts = tuple(explain(part, certificates, on) for part in rule[joint])
            return Node(joint, decide(part.is_met for part in parts), parts)
    grade = str(rule.get("grade", ""))
    if "staff" in rule:
        leaf = _count_staff(str(rule["staff"]), grade, int(rule.get("count", 1)), certificates, on)
    elif "kind" in rule:
        leaf = _look_for(str(rule["kind"]), grade, certificates, on)
    else:
        raise ValueError(f"not a qualification rule: {dict(rule)!r}")
    return Node("", leaf.met_by is not None, requirement=leaf)


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
    is_certificate = set(rule) <= {"kind", "grade"} and rule.get("kind") in set(QualificationKind)
    is_staff = set(rule) <= {"staff", "count", "grade"} and rule.get("staff") in set(PractisingKind)
    if not is_certificate and not is_staff:
        raise ValueError(f"not a qualification rule: {dict(rule)!r}")
    count = rule.get("count", 1)
    if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= MOST_STAFF:
        raise ValueError(f"not a number of people: {count!r}")
    if rule.get("grade", "") not in {"", *GRADES}:
        raise ValueError(f"unknown grade: {rule['grade']!r}")


def kinds_asked(rule: Rule) -> frozenset[str]:
    """Every kind of certificate that `rule` names, of the agency or of its people."""
    for leaf in ("kind", "staff"):
        if leaf in rule:
            return frozenset({str(rule[leaf])})
    return frozenset(kind for joint in ("all", "any") for part in rule.get(joint, ()) for kind in kinds_asked(part))


MOST_STAFF: Final = 200


def _leaves(node: Node) -> Iterator[Requirement]:
    if node.requirement is not None:
        yield node.requirement
    for part in node.parts:
        yield from _leaves(part)


_NEAREST_LAST: Final = ("missing", "grade", "unchecked", "expired")


def _look_for(kind: str, grade: str, certificates: Sequence[Certificate], on: date) -> Requirement:
    # The cause that is told is the one nearest to being met, so that the agency knows what to do.
    cause = "missing"
    for index, certificate in enumerate(certificates):
        if certificate.kind != kind or certificate.holder:
            continue
        found = _objection(certificate, grade, on)
        if not found:
            return Requirement(kind, grade, index, "")
        cause = max(cause, found, key=_NEAREST_LAST.index)
    return Requirement(kind, grade, None, cause)


def _count_staff(kind: str, grade: str, count: int, certificates: Sequence[Certificate], on: date) -> Requirement:
    holders: dict[str, int] = {}
    cause = "missing"
    for index, certificate in enumerate(certificates):
        if certificate.kind != kind or not certificate.holder:
            continue
        found = _objection(certificate, grade, on)
        if found:
            cause = max(cause, found, key=_NEAREST_LAST.index)
        else:
            holders.setdefault(certificate.holder, index)
    if len(holders) >= count:
        return Requirement(kind, grade, next(iter(holders.values())), "", count, len(holders))
    return Requirement(kind, grade, None, "too-few" if holders else cause, count, len(holders))


def _objection(certificate: Certificate, grade: str, on: date) -> str:
    if grade and (certificate.grade not in GRADES or GRADES.index(certificate.grade) > GRADES.index(grade)):
        return "grade"
    if certificate.expires_on is not None and certificate.expires_on < on:
        return "expired"
    return "" if certificate.is_valid else "unchecked"
