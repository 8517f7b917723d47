"""A small market for tests, made through the use cases: items, an admitted agency, offers."""

import io
from dataclasses import replace
from datetime import date
from itertools import count
from uuid import UUID

from PIL import Image
from sqlalchemy import select

from app.identity.models import OrganisationKind
from app.kernel import outbox
from app.kernel.access import SYSTEM, Actor, Role
from app.kernel.db import db, transaction
from app.kernel.files import Upload
from app.web.schemas import Plain
from marketplace.models.agencies import Agency
from marketplace.models.catalogue import ServiceItem
from marketplace.rules.onboarding import DocumentKind
from marketplace.services import agencies, catalogue, listings
from marketplace.states.listing import PriceMode
from tests.builders import a_member, an_organisation

_numbers = count(1)


def _png() -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (2, 2), "white").save(target, "PNG")
    return target.getvalue()


PNG = _png()


def a_credit_code() -> str:
    """A well-formed, invented unified social credit code."""
    from stdnum.cn import uscc

    body = f"91320100MA{next(_numbers):07d}"
    return body + uscc.calc_check_digit(body)


def an_id_number(birth: str = "19800101") -> str:
    """A well-formed, invented identity number."""
    from stdnum.cn import ric

    body = f"320102{birth}{next(_numbers) % 1000:03d}"
    return body + ric.calc_check_digit(body + "0")


def a_practitioner(
    actor: Actor, agency_id: UUID, *, number: str | None = None, name: str = "顾明远", full_time: bool = True
) -> UUID:
    """A practitioner, entered and not checked yet."""
    command = agencies.AddPractitioner(name, number or an_id_number(), full_time, date(2020, 1, 1))
    return agencies.add_practitioner(actor, agency_id, command)


def a_paper(name: str = "paper.png") -> Upload:
    return Upload(name, PNG)


REVIEWED = catalogue.Review("依据现行有效，设立必要、合理。")

COMMON = ("ZJ-003", "ZJ-010", "ZJ-020", "ZJ-024")


def the_items(*codes: str) -> dict[str, UUID]:
    """Entries of the shipped item list, published; item ids by number. A few common ones unless named."""
    wanted = codes or COMMON
    with transaction():
        for code, content in catalogue.shipped_items():
            if code in wanted:
                version_id = catalogue.draft_item(SYSTEM_KEEPER, content, code=code)
                catalogue.submit(SYSTEM_KEEPER, version_id, Plain())
                catalogue.publish(SYSTEM_KEEPER, version_id, REVIEWED)
    return {row.code: row.id for row in db.session.execute(select(ServiceItem.code, ServiceItem.id))}


SYSTEM_KEEPER = replace(
    SYSTEM, roles=frozenset({Role.OPERATOR}), permissions=frozenset({"marketplace:catalogue:manage"})
)


def particulars(name: str = "苏诚测绘有限公司", uscc: str | None = None) -> agencies.Particulars:
    return agencies.Particulars(
        name=name,
        uscc=uscc or a_credit_code(),
        kind="enterprise",
        region_code="320102",
        address="南京市玄武区珠江路1号",
        legal_representative="沈知远",
        contact_name="陆青禾",
        contact_mobile="13900000001",
        contact_email="office@example.test",
        introduction="从事测绘与勘测定界。",
    )


def an_agency_member(name: str = "") -> Actor:
    return a_member(Role.AGENCY, an_organisation(OrganisationKind.AGENCY, name))


def a_complete_file(
    actor: Actor, *, name: str = "苏诚测绘有限公司", certificates: tuple[tuple[str, str], ...] = (("mapping", "B"),)
) -> UUID:
    """An admission file with everything in it, ready to be submitted."""
    agency_id = agencies.open_file(actor, particulars(name))
    agencies.set_representative(actor, agency_id, agencies.Representative("沈知远", an_id_number()))
    for kind in (DocumentKind.LICENCE, DocumentKind.REPRESENTATIVE_ID, DocumentKind.COMMITMENT):
        agencies.add_document(actor, agency_id, agencies.AddDocument(kind, a_paper()))
    for kind, grade in certificates:
        agencies.add_qualification(
            actor,
            agency_id,
            agencies.AddQualification(
                kind=kind, number=f"{kind}-{next(_numbers)}", grade=grade, expires_on=date(2030, 6, 30), file=a_paper()
            ),
        )
    agencies.sign_commitment(actor, agency_id, Plain())
    return agency_id


def an_admitted_agency(
    name: str = "苏诚测绘有限公司", certificates: tuple[tuple[str, str], ...] = (("mapping", "B"),)
) -> tuple[Actor, UUID]:
    """An agency through the whole admission; (its representative, its id). Its publicity is ended by the clock's own step."""
    actor = an_agency_member(name)
    agency_id = a_complete_file(actor, name=name, certificates=certificates)
    agencies.submit(actor, agency_id, Plain())
    operator = a_member(Role.OPERATOR)
    agencies.pass_check(operator, agency_id, agencies.PassCheck())
    agency = db.session.get(Agency, agency_id, populate_existing=True)
    assert agency is not None
    assert agency.publicity_ends_at is not None
    from datetime import timedelta

    from app.kernel import clock

    with clock.at(agency.publicity_ends_at + timedelta(seconds=1)):
        assert agencies.admit_due() == 1
    db.session.expunge_all()
    return actor, agency_id


def an_offer(
    actor: Actor,
    item_id: UUID,
    *,
    limit: int = 5,
    price_fen: int | None = 1_200_000,
    region: str = "320100",
    text: str = "含外业测量与成果审查。",
) -> UUID:
    """An offer on the shelf."""
    listing_id = listings.create(
        actor,
        listings.Offer(
            item_id=item_id,
            promised_limit_wd=limit,
            price_mode=PriceMode.FIXED if price_fen else PriceMode.NEGOTIABLE,
            region_code=region,
            description=text,
            price_fen=price_fen,
        ),
    )
    listings.publish(actor, listing_id, Plain())
    return listing_id


def settle() -> None:
    """Run every reaction that is due."""
    outbox.drain_all()
    db.session.expunge_all()
