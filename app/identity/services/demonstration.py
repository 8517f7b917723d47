"""One account of every role, for development and demonstrations. Never called in production.

The accounts have no password: they are entered from the development panel only.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy import select

from app.identity.models import Membership, Organisation, OrganisationKind, User
from app.identity.states import MembershipState, UserState
from app.kernel import clock
from app.kernel.access import Role
from app.kernel.db import db, use_case


@dataclass(frozen=True)
class DemoAccount:
    """A person with one role."""

    user_id: UUID
    organisation_id: UUID | None
    role: Role
    name: str


# kind, name, English name, unified social credit code (check digit valid, invented), region
ORGANISATIONS: tuple[tuple[str, str, str, str, str], ...] = (
    (
        OrganisationKind.OWNER,
        "云港市城市建设投资有限公司",
        "Yungang City Construction Investment Co.",
        "91440101MA0000001Q",
        "320706",
    ),
    (
        OrganisationKind.AGENCY,
        "岭南勘测设计咨询有限公司",
        "Lingnan Survey and Design Consultants",
        "91440101MA0000002U",
        "320706",
    ),
    (
        OrganisationKind.OPERATOR,
        "云港市中介超市管理办公室",
        "Yungang Supermarket Office",
        "12440100MB0000003P",
        "320700",
    ),
    (
        OrganisationKind.REGULATOR,
        "云港市发展和改革局",
        "Yungang Development and Reform Bureau",
        "11440100MB0000004X",
        "320700",
    ),
    (
        OrganisationKind.DEPARTMENT,
        "云港市自然资源和规划局",
        "Yungang Natural Resources Bureau",
        "11440100MB00000051",
        "320700",
    ),
    (OrganisationKind.HALL, "云港市政务服务中心", "Yungang Government Service Hall", "11440100MB00000064", "320700"),
    (OrganisationKind.AUDITOR, "云港市审计局", "Yungang Audit Bureau", "11440100MB00000077", "320700"),
)

# role, kind of its organisation, name, mail address
ACCOUNTS: tuple[tuple[Role, str | None, str, str], ...] = (
    (Role.OWNER, OrganisationKind.OWNER, "陈立群", "owner@demo.chaoshi.example"),
    (Role.AGENCY, OrganisationKind.AGENCY, "林思远", "agency@demo.chaoshi.example"),
    (Role.PRACTITIONER, OrganisationKind.AGENCY, "郭明哲", "practitioner@demo.chaoshi.example"),
    (Role.OPERATOR, OrganisationKind.OPERATOR, "周雅琴", "operator@demo.chaoshi.example"),
    (Role.REGULATOR, OrganisationKind.REGULATOR, "何正清", "regulator@demo.chaoshi.example"),
    (Role.APPROVING_DEPARTMENT, OrganisationKind.DEPARTMENT, "许文博", "department@demo.chaoshi.example"),
    (Role.WINDOW_CLERK, OrganisationKind.HALL, "吴晓彤", "window@demo.chaoshi.example"),
    (Role.CERTIFICATE_CENTRE, OrganisationKind.HALL, "郑嘉怡", "certificates@demo.chaoshi.example"),
    (Role.POSTAL_STAFF, OrganisationKind.HALL, "黄志强", "post@demo.chaoshi.example"),
    (Role.POSTAL_SUPERVISOR, OrganisationKind.HALL, "谢海燕", "postal-supervisor@demo.chaoshi.example"),
    (Role.COURIER, OrganisationKind.HALL, "韩立冬", "courier@demo.chaoshi.example"),
    (Role.APPLICANT, None, "马晓东", "applicant@demo.chaoshi.example"),
    (Role.AUDITOR, OrganisationKind.AUDITOR, "孙伟民", "auditor@demo.chaoshi.example"),
    (Role.ADMINISTRATOR, OrganisationKind.OPERATOR, "蔡文静", "administrator@demo.chaoshi.example"),
)


@use_case
def ensure_demo_accounts() -> dict[Role, DemoAccount]:
    """Make the accounts that are missing; returns all of them by role. A repeat changes nothing."""
    homes = {row[0]: _organisation(row) for row in ORGANISATIONS}
    return {role: _account(role, homes.get(kind or ""), name, email) for role, kind, name, email in ACCOUNTS}


@dataclass(frozen=True)
class DemoEntry:
    """A line of the development panel."""

    user_id: UUID
    name: str
    email: str
    role: Role
    organisation: str


def demo_entries() -> tuple[DemoEntry, ...]:
    """Demonstration accounts with their first part, in the order of the roles."""
    rows = db.session.execute(
        select(User, Membership.role, Organisation.name)
        .outerjoin(Membership, (Membership.user_id == User.id) & (Membership.state == MembershipState.ACTIVE))
        .outerjoin(Organisation, Organisation.id == Membership.organisation_id)
        .where(User.demo.is_(True), User.state == UserState.ACTIVE)
        .order_by(User.created_at, User.id, Membership.created_at)
        .limit(100)
    )
    found: dict[UUID, DemoEntry] = {}
    for user, role, organisation in rows:
        known = Role(role) if role else Role.APPLICANT
        found.setdefault(user.id, DemoEntry(user.id, user.name, user.email, known, organisation or ""))
    order = {role: position for position, role in enumerate(Role)}
    return tuple(sorted(found.values(), key=lambda entry: order[entry.role]))


def _organisation(row: tuple[str, str, str, str, str]) -> Organisation:
    kind, name, name_en, uscc, region = row
    known = db.session.scalar(select(Organisation).where(Organisation.uscc == uscc, Organisation.kind == kind))
    if known is not None:
        return known
    made = Organisation(kind=kind, name=name, name_en=name_en, uscc=uscc, region_code=region, created_at=clock.now())
    db.session.add(made)
    db.session.flush()  # memberships refer to it
    return made


def _account(role: Role, home: Organisation | None, name: str, email: str) -> DemoAccount:
    user = db.session.scalar(select(User).where(User.email == email))
    if user is None:
        moment = clock.now()
        user = User(
            email=email,
            name=name,
            locale="zh_Hans_CN",
            state=UserState.ACTIVE,
            fs_uniquifier=uuid4().hex,
            mf_recovery_codes=[],
            demo=True,
            created_at=moment,
            email_confirmed_at=moment,
        )
        db.session.add(user)
        db.session.flush()  # memberships refer to it
        if home is not None:
            db.session.add(
                Membership(
                    user_id=user.id,
                    organisation_id=home.id,
                    role=role,
                    administers=role in (Role.OWNER, Role.AGENCY, Role.OPERATOR, Role.WINDOW_CLERK),
                    state=MembershipState.ACTIVE,
                    created_at=moment,
                    decided_at=moment,
                )
            )
            db.session.flush()  # sessions refer to it
    return DemoAccount(user.id, home.id if home else None, role, name)
