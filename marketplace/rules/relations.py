"""Relations that make two bodies dependent on each other (关联关系): found in their files, beside what an owner declares.

Between an agency and the owner, a relation keeps the agency out; among the registrants of one notice it is an alarm to the operator
and the regulator. Which kinds exclude and which only alarm are parameters of the rule book. Sources: Implementing Regulation of the
Government Procurement Law art. 18 (same person in charge, direct holding or management); Regulation on Improving the Business
Environment art. 43 (bodies under an authority may not serve its approvals); the avoidance rules of the published measures.
A name alone is weak evidence, people share names: with an identity code on both sides only the code counts.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import combinations
from typing import Final

from app.kernel.words import N_


class Kind(StrEnum):
    """What two bodies have in common."""

    SAME_BODY = "same_body"
    REPRESENTATIVE = "representative"
    SHAREHOLDER = "shareholder"
    CONTROLLER = "controller"
    SUBORDINATE = "subordinate"
    ROLE = "role"
    ADDRESS = "address"
    PHONE = "phone"
    EMAIL = "email"


LABELS: Final[Mapping[str, str]] = {
    Kind.SAME_BODY: N_("The same body"),
    Kind.REPRESENTATIVE: N_("The same legal or authorised representative"),
    Kind.SHAREHOLDER: N_("A common shareholder, or one holds shares of the other"),
    Kind.CONTROLLER: N_("The same actual controller"),
    Kind.SUBORDINATE: N_("Subordinate to the owner or to the approving authority"),
    Kind.ROLE: N_("Incompatible roles on one project"),
    Kind.ADDRESS: N_("The same registered address"),
    Kind.PHONE: N_("The same telephone"),
    Kind.EMAIL: N_("The same mail address"),
}


@dataclass(frozen=True)
class Person:
    """A person or body by name, with its identity or credit code where the file has one."""

    name: str
    code: str = ""

    def is_same(self, other: "Person") -> bool:
        """With a code on both sides the code decides, else the name."""
        if self.code and other.code:
            return _key(self.code) == _key(other.code)
        return bool(_key(self.name)) and _key(self.name) == _key(other.name)


@dataclass(frozen=True)
class Share:
    """A holder and its part in hundredths of a per cent (25 % is 2500)."""

    holder: Person
    basis_points: int


@dataclass(frozen=True)
class Party:
    """A body as its file shows it; what the file does not say stays empty and matches nothing."""

    name: str
    uscc: str = ""
    representatives: Sequence[Person] = ()
    shares: Sequence[Share] = ()
    controllers: Sequence[Person] = ()
    address: str = ""
    phones: Sequence[str] = ()
    emails: Sequence[str] = ()
    superiors: Sequence[Person] = ()
    project_roles: frozenset[str] = field(default_factory=frozenset)

    @property
    def itself(self) -> Person:
        """The body as a holder of shares of another one."""
        return Person(self.name, self.uscc)


@dataclass(frozen=True)
class Relation:
    """One thing in common; `detail` is the name, address or number that both files hold."""

    kind: str
    detail: str

    @property
    def label(self) -> str:
        """Message id of the kind."""
        return LABELS[self.kind]


def relations(one: Party, other: Party, *, share_percent: int) -> tuple[Relation, ...]:
    """Everything that `one` and `other` have in common; the same for both orders. Shares count from `share_percent` on."""
    found = [Relation(str(kind), detail) for kind, detail in _common(one, other, share_percent * 100)]
    return tuple(
        dict.fromkeys(sorted(found, key=lambda relation: (list(Kind).index(Kind(relation.kind)), relation.detail)))
    )


def _common(one: Party, other: Party, basis_points: int) -> Iterator[tuple[Kind, str]]:
    if one.uscc and _key(one.uscc) == _key(other.uscc):
        yield Kind.SAME_BODY, one.uscc.upper()
    for kind, left, right in (
        (Kind.REPRESENTATIVE, _with_itself(one, one.representatives), _with_itself(other, other.representatives)),
        (Kind.SHAREHOLDER, _holders(one, basis_points), _holders(other, basis_points)),
        (Kind.CONTROLLER, one.controllers, other.controllers),
    ):
        yield from ((kind, min(a.name, b.name)) for a in left for b in right if a.is_same(b))
    for kind, owned, owner in (
        (Kind.SHAREHOLDER, _holders(one, basis_points), other),
        (Kind.SHAREHOLDER, _holders(other, basis_points), one),
        (Kind.CONTROLLER, one.controllers, other),
        (Kind.CONTROLLER, other.controllers, one),
        (Kind.SUBORDINATE, one.superiors, other),
        (Kind.SUBORDINATE, other.superiors, one),
    ):
        yield from ((kind, owner.name) for holder in owned if holder.is_same(owner.itself))
    for kind, marks, theirs in (
        (Kind.ADDRESS, {_key(one.address): one.address}, {_key(other.address): other.address}),
        (Kind.PHONE, _numbers(one.phones), _numbers(other.phones)),
        (Kind.EMAIL, {_key(mail): mail for mail in one.emails}, {_key(mail): mail for mail in other.emails}),
    ):
        yield from ((kind, min(marks[mark], theirs[mark])) for mark in marks.keys() & theirs.keys() if mark)


def _with_itself(party: Party, people: Sequence[Person]) -> Sequence[Person]:
    """A natural person who buys is its own representative: it has no credit code."""
    return people if party.uscc else (*people, Person(party.name))


def _holders(party: Party, basis_points: int) -> list[Person]:
    return [share.holder for share in party.shares if share.basis_points >= basis_points]


def related_pairs(parties: Mapping[str, Party], *, share_percent: int) -> dict[tuple[str, str], tuple[Relation, ...]]:
    """The related pairs among many parties, keys in order. Compares only those that share a mark, so a thousand take no time."""
    buckets: dict[str, set[str]] = defaultdict(set)
    for key, party in parties.items():
        for mark in _marks(party):
            buckets[mark].add(key)
    pairs = {pair for keys in buckets.values() for pair in combinations(sorted(keys), 2)}
    found = {pair: relations(parties[pair[0]], parties[pair[1]], share_percent=share_percent) for pair in sorted(pairs)}
    return {pair: shared for pair, shared in found.items() if shared}


def _marks(party: Party) -> Iterator[str]:
    people = [*party.representatives, *party.controllers, *party.superiors, party.itself]
    people += [share.holder for share in party.shares]
    for person in people:
        yield from (_key(mark) for mark in (person.name, person.code) if _key(mark))
    yield from (_key(mark) for mark in (party.address, *party.emails) if _key(mark))
    yield from (number for number in _numbers(party.phones) if number)


def _key(text: str) -> str:
    """One spelling for comparing: full-width forms, case, blanks and punctuation do not matter."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text)).casefold()


def _numbers(phones: Iterable[str]) -> dict[str, str]:
    return {re.sub(r"\D", "", unicodedata.normalize("NFKC", phone)).removeprefix("86"): phone for phone in phones}


# --- incompatible roles on one project --------------------------------------------------------------------------


class Role(StrEnum):
    """What a service makes its agency on a project."""

    DESIGNER = "designer"
    DRAWING_REVIEWER = "drawing_reviewer"
    SUPERVISOR = "supervisor"
    CONTRACTOR = "contractor"
    DRAFTER = "drafter"
    TECHNICAL_REVIEWER = "technical_reviewer"
    COST_CONSULTANT = "cost_consultant"
    SETTLEMENT_AUDITOR = "settlement_auditor"


ROLE_LABELS: Final[Mapping[str, str]] = {
    Role.DESIGNER: N_("Designer"),
    Role.DRAWING_REVIEWER: N_("Reviewer of drawings"),
    Role.SUPERVISOR: N_("Supervisor of the works"),
    Role.CONTRACTOR: N_("Contractor of the works"),
    Role.DRAFTER: N_("Author of a report"),
    Role.TECHNICAL_REVIEWER: N_("Technical reviewer"),
    Role.COST_CONSULTANT: N_("Cost consultant"),
    Role.SETTLEMENT_AUDITOR: N_("Auditor of the final account"),
}

INCOMPATIBLE: Final[frozenset[frozenset[str]]] = frozenset(
    {
        frozenset({Role.DRAWING_REVIEWER, Role.DESIGNER}),
        frozenset({Role.SUPERVISOR, Role.CONTRACTOR}),
        frozenset({Role.DRAFTER, Role.TECHNICAL_REVIEWER}),
        frozenset({Role.SETTLEMENT_AUDITOR, Role.COST_CONSULTANT}),
    }
)
"""Pairs of roles that one agency may not hold on one project: nobody reviews its own work."""

_ROLE_PATTERNS: Final[tuple[tuple[Role, str], ...]] = (
    (Role.DRAWING_REVIEWER, r"施工图.*审查|图纸审查"),
    (Role.SETTLEMENT_AUDITOR, r"结算审[核计查]|决算审[核计查]|结算复核"),
    (Role.COST_CONSULTANT, r"造价咨询|工程造价|概算|预算编制|工程量清单|控制价"),
    (Role.TECHNICAL_REVIEWER, r"技术评估|技术评审|技术审查|评估审查|专家评审"),
    (Role.SUPERVISOR, r"监理"),
    (Role.CONTRACTOR, r"施工(?!图)|承建"),
    (Role.DESIGNER, r"设计"),
    (Role.DRAFTER, r"编制|报告|论证|评价|方案|评估"),
)


def roles_of(item_name: str) -> frozenset[str]:
    """The roles that the winner of a service item holds, by its Chinese name; a design with its estimate is both."""
    found = {str(role) for role, pattern in _ROLE_PATTERNS if re.search(pattern, item_name)}
    if Role.DRAWING_REVIEWER in found:
        return frozenset({str(Role.DRAWING_REVIEWER)})
    if found & {Role.TECHNICAL_REVIEWER, Role.SETTLEMENT_AUDITOR}:
        found -= {Role.DRAFTER, Role.COST_CONSULTANT}
    return frozenset(found)


def incompatible_roles(held: Iterable[str], wanted: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """The (held, wanted) pairs that nobody may combine on one project."""
    wanted = tuple(wanted)
    return tuple(sorted((h, w) for h in held for w in wanted if frozenset({h, w}) in INCOMPATIBLE))
