"""The people behind the demonstration's agencies, and the requests, measures and departures on the operator's desk."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from stdnum.cn import ric

from app.demo.names import Names
from app.kernel import clock
from app.kernel.access import Actor
from app.kernel.commands import WithReason
from app.kernel.files import Upload
from marketplace.rules.categories import Category
from marketplace.rules.people import PersonPart
from marketplace.rules.qualifications import PractisingKind
from marketplace.services import agencies

_HOMES: Final = ("320102", "320106", "320205", "320302", "320402", "320505", "320602", "320706", "320812", "320902")
_K = PractisingKind
TRADES: Final[dict[Category, tuple[PractisingKind, ...]]] = {
    Category.CONSULTING: (_K.CONSULTING_ENGINEER,),
    Category.SURVEY_DESIGN: (_K.ARCHITECT, _K.STRUCTURAL_ENGINEER, _K.GEOTECHNICAL_ENGINEER),
    Category.MAPPING: (_K.SURVEYOR,),
    Category.ENVIRONMENT: (_K.EIA_PRACTITIONER,),
    Category.WATER: (_K.CONSULTING_ENGINEER,),
    Category.NATURAL_RESOURCES: (_K.LAND_VALUER, _K.SURVEYOR),
    Category.PLANNING: (_K.PLANNER,),
    Category.COST: (_K.COST_PRACTITIONER,),
    Category.TENDER_SUPERVISION: (_K.SUPERVISOR,),
    Category.TESTING: (_K.STRUCTURAL_ENGINEER,),
    Category.SAFETY_HEALTH: (_K.SAFETY_ENGINEER, _K.FIRE_ENGINEER),
    Category.APPRAISAL: (_K.ACCOUNTANT, _K.ASSET_VALUER),
}
TITLES: Final = ("项目负责人", "技术负责人", "质量负责人", "专业负责人")


class Staff:
    """Enters representatives, shareholders and practitioners, each person once."""

    def __init__(self, names: Names, paper: Upload) -> None:
        self.names, self.paper = names, paper
        self.people = 0

    def id_number(self) -> str:
        """An invented identity number that nobody else of the demonstration has."""
        self.people += 1
        year, rest = 1965 + self.people % 33, self.people // 33
        body = f"{_HOMES[self.people % len(_HOMES)]}{year}{1 + rest % 12:02d}{1 + rest // 12 % 28:02d}{self.people % 999:03d}"
        return body + str(ric.calc_check_digit(body + "0"))

    def settle_in(
        self,
        actor: Actor,
        agency_id: UUID,
        representative: str,
        item_ids: tuple[UUID, ...],
        categories: Sequence[Category],
    ) -> None:
        """What an agency enters besides papers and certificates."""
        random = self.names.random
        agencies.set_representative(
            actor, agency_id, agencies.Representative(representative, self.id_number(), self.names.mobile())
        )
        agencies.choose_services(actor, agency_id, agencies.ChooseServices(item_ids))
        share = random.choice((1000, 700, 600, 510))
        owner = agencies.AddPerson(PersonPart.SHAREHOLDER, representative, self.id_number(), share_permille=share)
        agencies.add_person(actor, agency_id, owner)
        for kind in TRADES[categories[0]][: random.randrange(1, 3)]:
            self.practitioner(actor, agency_id, kind)

    def practitioner(self, actor: Actor, agency_id: UUID, kind: PractisingKind) -> UUID:
        """One full-time practitioner with a practising certificate."""
        random = self.names.random
        today = clock.today()
        command = agencies.AddPractitioner(
            name=self.names.person(),
            id_number=self.id_number(),
            is_full_time=True,
            employed_from=today - dt.timedelta(days=random.randrange(100, 3000)),
            title=random.choice(TITLES),
        )
        person = agencies.add_practitioner(actor, agency_id, command)
        certificate = agencies.AddQualification(
            kind=kind,
            number=f"苏注{random.randrange(10**9, 10**10)}",
            issuer="江苏省演示主管部门",
            expires_on=today + dt.timedelta(days=random.randrange(500, 1400)),
            file=self.paper,
            practitioner_id=person,
        )
        agencies.add_qualification(actor, agency_id, certificate)
        return person

    def ask_for_change(self, actor: Actor, agency_id: UUID, number: int) -> None:
        """One of the four kinds of change, so that the operator's desk shows each."""
        if number % 4 == 0:
            change = agencies.ChangeRepresentative(
                self.names.person(), self.id_number(), self.names.mobile(), "股东会决议变更法定代表人。", self.paper
            )
            agencies.ask_representative_change(actor, agency_id, change)
        elif number % 4 == 1:
            self.practitioner(actor, agency_id, PractisingKind.CONSULTING_ENGINEER)
        elif number % 4 == 2:
            renewed = agencies.AddQualification(
                kind="consulting",
                number=f"苏CO{self.names.random.randrange(10**7, 10**8)}",
                grade="B",
                issuer="江苏省演示主管部门",
                expires_on=clock.today() + dt.timedelta(days=1095),
                file=self.paper,
            )
            agencies.add_qualification(actor, agency_id, renewed)
        else:
            agencies.ask_exit(actor, agency_id, WithReason("公司并入集团，以集团名义重新入驻。"))
