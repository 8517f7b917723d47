"""Objects for tests, made through the services. Small on purpose: each domain's builders stand beside its tests."""

from datetime import timedelta
from uuid import UUID, uuid4

import sqlalchemy as sa
from flask.testing import FlaskClient

from app.identity.authentication import permissions_of
from app.identity.models import Membership, Organisation, OrganisationKind, User, UserSession
from app.identity.sessions import SIGNED_IN
from app.identity.states import MembershipState
from app.identity.tokens import digest, new_token
from app.kernel import clock
from app.kernel.access import Actor, Role
from app.kernel.db import db, new_id, transaction

KIND_OF_ROLE = {
    Role.OWNER: OrganisationKind.OWNER,
    Role.AGENCY: OrganisationKind.AGENCY,
    Role.PRACTITIONER: OrganisationKind.AGENCY,
    Role.OPERATOR: OrganisationKind.OPERATOR,
    Role.ADMINISTRATOR: OrganisationKind.OPERATOR,
    Role.REGULATOR: OrganisationKind.REGULATOR,
    Role.APPROVING_DEPARTMENT: OrganisationKind.DEPARTMENT,
    Role.WINDOW_CLERK: OrganisationKind.HALL,
    Role.CERTIFICATE_CENTRE: OrganisationKind.HALL,
    Role.POSTAL_STAFF: OrganisationKind.HALL,
    Role.POSTAL_SUPERVISOR: OrganisationKind.HALL,
    Role.COURIER: OrganisationKind.HALL,
    Role.AUDITOR: OrganisationKind.AUDITOR,
}


def an_organisation(kind: OrganisationKind, name: str = "", uscc: str | None = None) -> UUID:
    """An organisation row of its kind; agencies' admission is the marketplace's business."""
    with transaction() as session:
        row = Organisation(
            id=new_id(), kind=kind, name=name or f"测试{kind}单位{uuid4().hex[:4]}", uscc=uscc, created_at=clock.now()
        )
        session.add(row)
    return row.id


def a_member(role: Role, organisation_id: UUID | None = None, name: str = "") -> Actor:
    """A user with one membership, as the actor that the web would load for it."""
    if organisation_id is None and role is not Role.APPLICANT:
        organisation_id = an_organisation(KIND_OF_ROLE[role])
    mark = uuid4().hex[:12]
    with transaction() as session:
        user = User(
            id=new_id(),
            email=f"{mark}@example.test",
            name=name or f"测试员{mark[:4]}",
            fs_uniquifier=mark,
            created_at=clock.now(),
        )
        session.add(user)
        session.flush()
        if organisation_id is not None:
            session.add(
                Membership(
                    id=new_id(),
                    user_id=user.id,
                    organisation_id=organisation_id,
                    role=role,
                    state=MembershipState.ACTIVE,
                    created_at=clock.now(),
                )
            )
    db.session.expunge_all()
    roles = frozenset({role})
    return Actor(user.id, organisation_id, roles, user.name, permissions_of(roles))


def sign_in(client: FlaskClient, actor: Actor) -> None:
    """Give the client an open session of this actor, as signing in leaves behind."""
    token = new_token()
    moment = clock.now()
    with transaction() as session:
        membership = session.scalars(
            sa.select(Membership).where(
                Membership.user_id == actor.user_id, Membership.organisation_id == actor.organisation_id
            )
        ).first()
        session.add(
            UserSession(
                token_hash=digest(token),
                user_id=actor.user_id,
                membership_id=membership.id if membership else None,
                data={},
                user_agent="test",
                address="127.0.0.1",
                created_at=moment,
                seen_at=moment,
                idle_minutes=600,
                ends_at=moment + timedelta(days=3650),
                authenticated_at=moment,
            )
        )
    client.set_cookie("session", SIGNED_IN + token)
