"""Whether an agency may take part in a procurement: one test after the other, each with its reason.

Decided when an agency registers and again when the registration closes; the result is stored with the registration, so that
the agency, and later anybody who asks why, reads the same reasons. Source of the tests: the registration and avoidance rules
of the published provincial measures; an expired certificate ends eligibility for its service type only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, Final

from app.kernel.words import N_
from marketplace.rules.qualifications import GRADES, Certificate, Requirement, meets
from marketplace.rules.regions import covers
from marketplace.rules.relations import Kind, Party, incompatible_roles, relations


class Test(StrEnum):
    """The tests, in the order in which they are shown."""

    __test__ = False  # not a test case

    ADMITTED = "admitted"
    STANDING = "standing"
    CREDIT = "credit"
    SERVICE_TYPE = "service_type"
    QUALIFICATION = "qualification"
    AVOIDANCE = "avoidance"
    INDEPENDENCE = "independence"
    REGION = "region"


TEST_LABELS: Final[Mapping[str, str]] = {
    Test.ADMITTED: N_("Admitted to the supermarket"),
    Test.STANDING: N_("Not suspended"),
    Test.CREDIT: N_("Credit grade"),
    Test.SERVICE_TYPE: N_("Offers this service"),
    Test.QUALIFICATION: N_("Qualification and grade"),
    Test.AVOIDANCE: N_("Not on the avoidance list"),
    Test.INDEPENDENCE: N_("Independent of the owner"),
    Test.REGION: N_("Region"),
}

REASON_TEXTS: Final[Mapping[str, str]] = {
    "admitted": N_("The agency is in the directory."),
    "not-admitted": N_("The agency is not admitted yet. Complete the admission first."),
    "in-good-standing": N_("No suspension is in force."),
    "suspended": N_("The agency is suspended and may not register until the suspension is lifted."),
    "blacklisted": N_("The agency is on the blacklist and may not register until its credit is repaired."),
    "leaving": N_("The agency asked to leave the supermarket and takes on nothing new."),
    "restricted": N_("This service is closed to the agency by a measure in force."),
    "grade-admitted": N_("The credit grade of the agency on this day is %(grade)s."),
    "grade-excluded": N_("Agencies of credit grade %(grade)s may not register."),
    "offers-service": N_("An offer of this service is on the shelf."),
    "no-offer": N_("No offer of this service is on the shelf. Put one on the shelf first."),
    "qualified": N_("The certificates meet the demand on %(on)s."),
    "no-qualification-asked": N_("No certificate is demanded."),
    "unqualified": N_("The certificates do not meet the demand on %(on)s."),
    "not-avoided": N_("The owner declared no conflict with this agency."),
    "avoided": N_("The owner declared a conflict with this agency: %(reason)s"),
    "independent": N_("The agency is not the owner itself and shares no representative with it."),
    "same-body": N_("The agency and the owner are the same body."),
    "same-representative": N_("The agency and the owner have the same legal representative."),
    "related-same_body": N_("The agency and the owner are the same body."),
    "related-representative": N_("The agency and the owner have the same representative: %(detail)s"),
    "related-shareholder": N_("The agency and the owner are related by shares: %(detail)s"),
    "related-controller": N_("The agency and the owner have the same actual controller: %(detail)s"),
    "related-subordinate": N_("The agency is subordinate to the owner or the approving authority: %(detail)s"),
    "related-address": N_("The agency and the owner have the same registered address: %(detail)s"),
    "related-phone": N_("The agency and the owner have the same telephone: %(detail)s"),
    "related-email": N_("The agency and the owner have the same mail address: %(detail)s"),
    "related-role": N_("The agency already holds a role on this project that may not be combined with this one."),
    "any-region": N_("Agencies of every region may register."),
    "in-region": N_("The agency is registered in the demanded region."),
    "other-region": N_("The notice demands an agency of another region."),
}


@dataclass(frozen=True)
class Demand:
    """What a notice demands. `region_code` is the division an agency must be registered in, "" for anywhere.

    `avoided` maps unified social credit codes to the declared reason of the conflict.
    """

    qualification_rule: Mapping[str, Any]
    region_code: str = ""
    avoided: Mapping[str, str] = field(default_factory=dict)
    owner_uscc: str = ""
    owner_representative: str = ""
    owner: Party | None = None
    excluding: tuple[str, ...] = ()
    share_percent: int = 25
    roles: frozenset[str] = frozenset()
    held_roles: Mapping[str, frozenset[str]] = field(default_factory=dict)
    excluded_grades: tuple[str, ...] = ()


@dataclass(frozen=True)
class Candidate:
    """An agency as the tests see it. `offers_service`: an offer of the demanded item is on its shelf.

    `bar` is the reason code of what keeps it from registering at all, or for this service: "suspended", "blacklisted", "leaving",
    "restricted", "" when nothing does. `grade` is its credit grade on the day.
    """

    uscc: str
    is_admitted: bool
    offers_service: bool
    region_code: str
    certificates: Sequence[Certificate]
    representative: str = ""
    bar: str = ""
    grade: str = "A"
    party: Party | None = None


@dataclass(frozen=True)
class Check:
    """One test: whether it was passed, the code of the reason and the parameters of its text."""

    test: str
    passed: bool
    reason: str
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """Message id of the test."""
        return TEST_LABELS[self.test]

    @property
    def text(self) -> str:
        """Message id of the reason; `params` fill it."""
        return REASON_TEXTS[self.reason]


@dataclass(frozen=True)
class Verdict:
    """All tests of one agency for one notice."""

    checks: tuple[Check, ...]

    @property
    def is_eligible(self) -> bool:
        """Whether every test was passed."""
        return all(check.passed for check in self.checks)

    @property
    def failures(self) -> tuple[Check, ...]:
        """The tests that were not passed."""
        return tuple(check for check in self.checks if not check.passed)

    @property
    def is_avoided(self) -> bool:
        """Whether a conflict of interest, declared or found, keeps the agency out."""
        conflicts = {Test.AVOIDANCE, Test.INDEPENDENCE}
        return any(check.test in conflicts for check in self.failures)

    def to_json(self) -> list[dict[str, Any]]:
        """Plain values, as stored with the registration."""
        return [
            {"test": str(c.test), "passed": c.passed, "reason": c.reason, "params": dict(c.params)} for c in self.checks
        ]

    @classmethod
    def from_json(cls, stored: Sequence[Mapping[str, Any]]) -> "Verdict":
        """The verdict that `to_json` stored."""
        return cls(tuple(Check(row["test"], row["passed"], row["reason"], row["params"]) for row in stored))


def judge(demand: Demand, candidate: Candidate, on: date) -> Verdict:
    """Run every test for `candidate` on the Beijing day `on`; a failed test never hides a later one."""
    return Verdict(
        (
            _decide(Test.ADMITTED, candidate.is_admitted, "admitted", "not-admitted"),
            _decide(Test.STANDING, not candidate.bar, "in-good-standing", candidate.bar),
            _credit(demand, candidate),
            _decide(Test.SERVICE_TYPE, candidate.offers_service, "offers-service", "no-offer"),
            _qualification(demand, candidate, on),
            _avoidance(demand, candidate),
            _independence(demand, candidate),
            _region(demand, candidate),
        )
    )


def raise_grade(rule: Mapping[str, Any], grade: str) -> dict[str, Any]:
    """`rule` with every certificate asked for in at least `grade`; a stricter demand of the rule itself stays."""
    if not grade:
        return dict(rule)
    for joint in ("all", "any"):
        if joint in rule:
            return {joint: [raise_grade(part, grade) for part in rule[joint]]}
    if "kind" not in rule:
        return dict(rule)  # a demand for staff: the notice's grade is one of the agency's certificate
    present = str(rule.get("grade", ""))
    strictest = min((g for g in (present, grade) if g), key=GRADES.index)
    return {**rule, "grade": strictest}


def _decide(test: Test, passed: bool, good: str, bad: str) -> Check:
    return Check(test, passed, good if passed else bad)


def _credit(demand: Demand, candidate: Candidate) -> Check:
    passed = candidate.grade not in demand.excluded_grades
    return Check(Test.CREDIT, passed, "grade-admitted" if passed else "grade-excluded", {"grade": str(candidate.grade)})


def _qualification(demand: Demand, candidate: Candidate, on: date) -> Check:
    if not demand.qualification_rule:
        return Check(Test.QUALIFICATION, passed=True, reason="no-qualification-asked")
    found = meets(demand.qualification_rule, candidate.certificates, on)
    params = {"on": on.isoformat(), "requirements": [_plain(requirement) for requirement in found.requirements]}
    return Check(Test.QUALIFICATION, found.is_eligible, "qualified" if found.is_eligible else "unqualified", params)


def _plain(requirement: Requirement) -> dict[str, Any]:
    return {
        "kind": requirement.kind,
        "grade": requirement.grade,
        "met": requirement.met_by is not None,
        "cause": requirement.cause,
        "count": requirement.count,
        "found": requirement.found,
    }


def _avoidance(demand: Demand, candidate: Candidate) -> Check:
    reason = demand.avoided.get(candidate.uscc)
    if reason is None:
        return Check(Test.AVOIDANCE, passed=True, reason="not-avoided")
    return Check(Test.AVOIDANCE, passed=False, reason="avoided", params={"reason": reason})


def _independence(demand: Demand, candidate: Candidate) -> Check:
    if demand.owner_uscc and demand.owner_uscc == candidate.uscc:
        return Check(Test.INDEPENDENCE, passed=False, reason="same-body")
    if demand.owner_representative and demand.owner_representative == candidate.representative:
        return Check(Test.INDEPENDENCE, passed=False, reason="same-representative")
    if demand.owner is not None and candidate.party is not None:
        for relation in relations(demand.owner, candidate.party, share_percent=demand.share_percent):
            if relation.kind in demand.excluding:
                params = {"detail": relation.detail}
                return Check(Test.INDEPENDENCE, passed=False, reason=f"related-{relation.kind}", params=params)
    if Kind.ROLE in demand.excluding and incompatible_roles(demand.held_roles.get(candidate.uscc, ()), demand.roles):
        return Check(Test.INDEPENDENCE, passed=False, reason="related-role")
    return Check(Test.INDEPENDENCE, passed=True, reason="independent")


def _region(demand: Demand, candidate: Candidate) -> Check:
    if not demand.region_code:
        return Check(Test.REGION, passed=True, reason="any-region")
    return _decide(Test.REGION, covers(demand.region_code, candidate.region_code), "in-region", "other-region")
