"""Cases in any state for tests, made through the services under a moved clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from app.identity.models import OrganisationKind
from app.kernel.access import SYSTEM, Actor, Role
from app.kernel.db import db, get
from app.kernel.outbox import drain_all
from approvals.models import Case
from approvals.queries.cases import CaseView, case_view
from approvals.services import cases, items, results
from approvals.services.commands import Apply, ChooseService, Decide, Receiver, Step
from approvals.services.items import RegisterItem
from approvals.states import ServiceMode, Signatory
from tests.builders import a_member, an_organisation

Clock = Callable[[datetime], None]
STEP = Step()
BY_COURIER = ChooseService(
    mode=ServiceMode.COURIER,
    receiver=Receiver("周敏", "13800138000", "江苏省", "南京市", "玄武区", "北京东路41号2幢301室"),
    who_may_sign=Signatory.SELF,
    mandate_accepted=True,
)
AT_THE_WINDOW = ChooseService(mode=ServiceMode.WINDOW)
ELECTRONIC = ChooseService(mode=ServiceMode.ELECTRONIC)


def at(month: int, day: int, hour: int = 10) -> datetime:
    """A moment of 2026 in Beijing time, as UTC."""
    return datetime(2026, month, day, hour - 8, tzinfo=UTC)


def an_approval_item(department_organisation_id: UUID, code: str = "SP-001", **changes: Any) -> UUID:
    """Building planning permission: 20 working days by law, 10 promised."""
    command = RegisterItem(
        code=code,
        name="建设工程规划许可",
        name_en="Planning permission for a construction project",
        department_organisation_id=department_organisation_id,
        legal_basis="《中华人民共和国城乡规划法》第四十条",
        statutory_limit_wd=20,
        promised_limit_wd=10,
        certificate_title="建设工程规划许可证",
    )
    return items.register_item(SYSTEM, replace(command, **changes))


@dataclass
class Story:
    """A case with everybody who takes part."""

    clock_at: Clock
    id: UUID
    applicant: Actor
    clerk: Actor
    official: Actor
    printer: Actor

    @property
    def row(self) -> Case:
        db.session.expire_all()
        return get(Case, self.id)

    @property
    def state(self) -> str:
        return self.row.state

    @property
    def seen(self) -> CaseView:
        db.session.expire_all()
        return case_view(self.applicant, self.id)

    @property
    def certificate_id(self) -> UUID:
        return self.seen.certificates[0].id


def submitted(clock_at: Clock, service: ChooseService = AT_THE_WINDOW, *, as_owner: bool = True) -> Story:
    """An application of 1 June 2026 that waits to be received."""
    clock_at(at(6, 1))
    hall = an_organisation(OrganisationKind.HALL, "玄武区政务服务中心")
    official = a_member(Role.APPROVING_DEPARTMENT, name="林规划")
    assert official.organisation_id is not None
    applicant = a_member(Role.OWNER if as_owner else Role.APPLICANT, name="周敏")
    item_id = an_approval_item(official.organisation_id)
    command = Apply(item_id=item_id, hall_organisation_id=hall, project_name="滨江新城一期住宅楼", service=service)
    return Story(
        clock_at,
        cases.apply(applicant, command),
        applicant,
        a_member(Role.WINDOW_CLERK, hall, name="吴窗口"),
        official,
        a_member(Role.CERTIFICATE_CENTRE, hall, name="郑制证"),
    )


def handled(clock_at: Clock, service: ChooseService = AT_THE_WINDOW, *, as_owner: bool = True) -> Story:
    """Received, accepted and taken in hand on 1 June: promised by 15 June, by law until 30 June."""
    story = submitted(clock_at, service, as_owner=as_owner)
    cases.receive(story.clerk, story.id, STEP)
    cases.accept(story.clerk, story.id, STEP)
    cases.start_handling(story.official, story.id, STEP)
    return story


def approved(clock_at: Clock, service: ChooseService = AT_THE_WINDOW) -> Story:
    """Approved on 8 June: to be served by 23 June."""
    story = handled(clock_at, service)
    clock_at(at(6, 8))
    cases.approve(story.official, story.id, Decide())
    drain_all()
    return story


def made(clock_at: Clock, service: ChooseService = AT_THE_WINDOW) -> Story:
    """The certificate is made."""
    story = approved(clock_at, service)
    results.make_certificate(story.printer, story.certificate_id, STEP)
    return story
