"""An object of another tenant answers like one that does not exist, on every route and method, and nothing changes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from app.kernel import clock as kernel_clock
from app.kernel.access import Role
from app.kernel.audit import AuditEvent
from app.kernel.db import db
from app.kernel.files import Upload
from app.kernel.timeline import TimelineRecord
from app.webhooks import services as webhooks
from delivery.doorstep import IdType
from delivery.models.mandates import LetterScope
from delivery.services import complaints as delivery_complaints
from delivery.services import mandates, papers
from marketplace.models.agencies import AgencyChange, Qualification
from marketplace.models.credit import Sanction
from marketplace.models.procurements import Registration
from marketplace.models.quotes import Quote
from marketplace.models.reviews import RatingRequest
from marketplace.rules.sanctions import Ground
from marketplace.services import contracts, reviews, sanctions, saved_searches
from marketplace.services.saved_searches import KeepSearch
from payments.queries import bills_of_subject
from payments.services.bank_accounts import EnterBankAccount, enter_bank_account
from tests import builders
from tests.approvals import builders as approvals
from tests.delivery import builders as delivery
from tests.delivery import rounds_builders
from tests.marketplace import contract_builders, market, procurement_builders
from tests.marketplace.challenges import builders as challenge_builders
from tests.marketplace.quotes import builders as quote_builders
from tests.payments import builders as payments

AsRole = Callable[..., FlaskClient]
Clock = Callable[[datetime], None]
JSON = {"Accept": "application/json"}


def a_draft_notice(clock_at: Clock) -> UUID:
    return procurement_builders.a_story(clock_at, 0).id


def a_registration(clock_at: Clock) -> UUID:
    procurement_builders.registered(procurement_builders.a_story(clock_at, 1))
    return db.session.scalars(select(Registration.id)).one()


def a_contract(clock_at: Clock) -> UUID:
    return contract_builders.signed(clock_at).id


def a_bill(clock_at: Clock) -> UUID:
    return bills_of_subject(f"contract:{a_contract(clock_at)}")[0].id


def a_case(clock_at: Clock) -> UUID:
    return approvals.handled(clock_at).id


def a_certificate(clock_at: Clock) -> UUID:
    return approvals.made(clock_at).certificate_id


def a_parcel(_clock_at: Clock) -> UUID:
    return delivery.an_ordered_parcel(delivery.a_hall())


def a_courier_round(_clock_at: Clock) -> UUID:
    hall = delivery.a_hall()
    return rounds_builders.a_round(hall, rounds_builders.a_courier(hall), rounds_builders.an_own_parcel(hall)).id


def a_letter(_clock_at: Clock) -> UUID:
    hall = delivery.a_hall()
    wanted = mandates.GrantLetter("王建国", IdType.RESIDENT_CARD, "123X", LetterScope.DOOR, kernel_clock.today())
    return mandates.grant_letter(hall.applicant, delivery.an_ordered_parcel(hall), wanted)


def a_delivery_complaint(_clock_at: Clock) -> UUID:
    hall = delivery.a_hall()
    about = delivery_complaints.Complain(delivery_complaints.ComplaintKind.LATE, "超过承诺时间")
    return delivery_complaints.complain(hall.applicant, delivery.an_ordered_parcel(hall), about)


def a_collection_of_originals(_clock_at: Clock) -> UUID:
    hall = delivery.a_hall()
    assert hall.applicant.user_id
    wanted = papers.CollectPapers(
        uuid4(), f"case:{uuid4()}", hall.id, hall.applicant.user_id, delivery.receiver(), ("不动产权证书原件",),
        kernel_clock.today() + timedelta(days=1), "09:00-11:00",
    )  # fmt: skip
    return papers.collect_papers(hall.applicant, wanted)


def an_admission_file(_clock_at: Clock) -> UUID:
    return market.a_complete_file(market.an_agency_member())


def a_challenge(clock_at: Clock) -> UUID:
    story = procurement_builders.ranked(procurement_builders.a_story(clock_at))
    return challenge_builders.object_to(story, challenge_builders.losers(story)[0].actor)


def a_qualification(clock_at: Clock) -> UUID:
    an_admission_file(clock_at)
    return db.session.scalars(select(Qualification.id)).one()


def a_practitioner(_clock_at: Clock) -> UUID:
    actor = market.an_agency_member()
    return market.a_practitioner(actor, market.a_complete_file(actor))


def an_agency_change(_clock_at: Clock) -> UUID:
    actor, agency_id = market.an_admitted_agency()
    market.a_practitioner(actor, agency_id)
    return db.session.scalars(select(AgencyChange.id)).one()


def a_quote(clock_at: Clock) -> UUID:
    bidding = quote_builders.quoted(quote_builders.a_bidding(clock_at), "100.00")
    return db.session.scalars(
        select(Quote.id).join(Registration).where(Registration.procurement_id == bidding.id)
    ).one()


def a_saved_search(_clock_at: Clock) -> UUID:
    return saved_searches.keep(market.an_agency_member(), KeepSearch("测绘", {"q": "测绘"}))


def a_rating_request(clock_at: Clock) -> UUID:
    made = contract_builders.delivered(contract_builders.signed(clock_at), contract_builders.at(6, 8))
    contracts.accept(made.owner, made.id, contracts.AcceptDeliverable())
    reviews.open_requests(made.id)
    return db.session.scalars(select(RatingRequest.id).where(RatingRequest.rater == "agency")).one()


def a_finding(_clock_at: Clock) -> UUID:
    party, _ = market.an_admitted_agency()
    assert party.organisation_id is not None
    sanctions.note_finding(sanctions.Finding(party.organisation_id, Ground.GAVE_UP, "连续放弃中选。", {}, [], "test:1"))
    return db.session.scalars(select(Sanction.id)).one()


def a_bank_account(_clock_at: Clock) -> UUID:
    proof = Upload("开户许可证.txt", "开户许可证".encode())
    return enter_bank_account(
        market.an_agency_member(), EnterBankAccount("某公司", "某银行", "6222021001123456", proof)
    )


def a_webhook(_clock_at: Clock) -> UUID:
    wanted = webhooks.Subscribe("http://127.0.0.1:8999/in", "财务系统", ("bill.paid",))
    return webhooks.subscribe(builders.a_member(Role.OWNER), wanted)[0]


def a_refund(_clock_at: Clock) -> UUID:
    return payments.refund_asked()


def a_payout(_clock_at: Clock) -> UUID:
    return payments.payout_asked()


def a_dispute(_clock_at: Clock) -> UUID:
    return payments.disputed()


def a_voucher(_clock_at: Clock) -> UUID:
    return payments.transferred().voucher_id


def an_attempt(_clock_at: Clock) -> UUID:
    return payments.transferred().payment_id


def money_of_an_agency(_clock_at: Clock) -> UUID:
    organisation_id = payments.transferred().agency.organisation_id
    assert organisation_id is not None
    return organisation_id


# address, how one is made, roles of strangers who may have such objects themselves
PRIVATE: tuple[tuple[str, Callable[[Clock], UUID], tuple[Role, ...]], ...] = (
    ("/procurements/", a_draft_notice, (Role.OWNER, Role.AGENCY)),
    ("/quotes/", a_quote, (Role.AGENCY, Role.OWNER, Role.OPERATOR)),
    ("/registrations/", a_registration, (Role.AGENCY, Role.OWNER)),
    ("/contracts/", a_contract, (Role.OWNER, Role.AGENCY)),
    ("/bills/", a_bill, (Role.OWNER, Role.AGENCY, Role.APPLICANT)),
    ("/bank-accounts/", a_bank_account, (Role.AGENCY, Role.OWNER)),
    ("/refunds/", a_refund, (Role.OWNER, Role.AGENCY)),
    ("/payouts/", a_payout, (Role.AGENCY, Role.OWNER)),
    ("/disputes/", a_dispute, (Role.AGENCY, Role.OWNER)),
    ("/agency-money/", money_of_an_agency, (Role.AGENCY, Role.OWNER)),
    ("/pay/vouchers/", a_voucher, (Role.OWNER, Role.AGENCY, Role.APPLICANT, Role.WINDOW_CLERK)),
    ("/pay/", an_attempt, (Role.OWNER, Role.AGENCY)),
    ("/pay/return/", an_attempt, (Role.OWNER, Role.AGENCY)),
    ("/pay/cashier/", an_attempt, (Role.OWNER, Role.AGENCY)),
    ("/payments/", an_attempt, (Role.OWNER, Role.AGENCY)),
    ("/cases/", a_case, (Role.OWNER, Role.APPLICANT, Role.WINDOW_CLERK, Role.APPROVING_DEPARTMENT)),
    ("/certificates/", a_certificate, (Role.OWNER, Role.APPLICANT, Role.CERTIFICATE_CENTRE)),
    ("/parcels/", a_parcel, (Role.POSTAL_STAFF, Role.POSTAL_SUPERVISOR, Role.APPLICANT)),
    ("/courier-rounds/", a_courier_round, (Role.POSTAL_STAFF, Role.POSTAL_SUPERVISOR)),
    ("/letters-of-authority/", a_letter, (Role.POSTAL_SUPERVISOR, Role.APPLICANT)),
    ("/delivery-complaints/", a_delivery_complaint, (Role.POSTAL_SUPERVISOR, Role.APPLICANT)),
    ("/papers/", a_collection_of_originals, (Role.POSTAL_STAFF, Role.APPLICANT)),
    ("/admission/", an_admission_file, (Role.AGENCY, Role.OWNER)),
    ("/challenges/", a_challenge, (Role.OWNER, Role.AGENCY, Role.APPLICANT)),
    ("/qualifications/", a_qualification, (Role.AGENCY, Role.OWNER)),
    ("/saved-searches/", a_saved_search, (Role.AGENCY, Role.OWNER)),
    ("/practitioners/", a_practitioner, (Role.AGENCY, Role.OWNER)),
    ("/agency-changes/", an_agency_change, (Role.AGENCY, Role.OWNER)),
    ("/rating-requests/", a_rating_request, (Role.AGENCY, Role.OWNER, Role.APPROVING_DEPARTMENT)),
    ("/webhooks/", a_webhook, (Role.OWNER, Role.AGENCY, Role.OPERATOR)),
    ("/sanctions/", a_finding, (Role.AGENCY, Role.OWNER)),
)


def addresses(app: Flask, start: str) -> Iterator[tuple[str, str]]:
    """Methods and addresses of the routes of one kind of object, with `{id}` where its id goes."""
    tables: dict[str, tuple[str, ...]] = {}
    for rule in app.url_map.iter_rules():
        table = getattr(app.view_functions[rule.endpoint], "action_table", None)
        if table:
            tables[rule.rule.removeprefix("/api")] = tuple(table)
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        plain = rule.rule.removeprefix("/api")
        if not plain.startswith(f"{start}<uuid:"):
            continue
        made = re.sub(r"<uuid:[a-z_]+>", "{id}", rule.rule, count=1)
        made = re.sub(r"<uuid:[a-z_]+>", str(uuid4()), made)
        made = re.sub(r"<int:[a-z_]+>", "1", made)
        for action in tables.get(plain, ("",)):
            for method in sorted(set(rule.methods or ()) - {"OPTIONS", "HEAD"}):
                yield method, re.sub(r"<(?:[a-z]+:)?[a-z_]+>", action or "x", made)


def answer(client: FlaskClient, method: str, address: str) -> tuple[int, str, str]:
    """Status, code and text of an answer, without what differs by nature."""
    body = {"json": {}} if address.startswith("/api/") and method != "GET" else {}
    got = client.open(address, method=method, headers=JSON, **body)  # type: ignore[arg-type]
    document = got.get_json(silent=True) or {}
    document.pop("instance", None) if isinstance(document, dict) else None
    location = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "<id>", got.headers.get("Location", ""))
    return got.status_code, str(document.get("code", "") if isinstance(document, dict) else ""), location


def written() -> tuple[int, int]:
    counts = [db.session.scalar(select(func.count()).select_from(table)) or 0 for table in (AuditEvent, TimelineRecord)]
    return counts[0], counts[1]


@pytest.mark.asvs("8.2.2")
@pytest.mark.parametrize(("start", "make", "roles"), PRIVATE, ids=[one[0].strip("/") for one in PRIVATE])
def test_of_another_tenant(
    app: Flask, as_role: AsRole, clock_at: Clock, start: str, make: Callable[[Clock], UUID], roles: tuple[Role, ...]
) -> None:
    object_id = make(clock_at)
    db.session.expunge_all()
    before = written()
    wrong = {}
    asked = 0
    for role in roles:
        stranger = as_role(role)
        for method, address in addresses(app, start):
            theirs = answer(stranger, method, address.replace("{id}", str(object_id)))
            nobodys = answer(stranger, method, address.replace("{id}", str(uuid4())))
            asked += 1
            if theirs != nobodys or theirs[0] < 300:
                wrong[f"{role} {method} {address}"] = (theirs, nobodys)
    assert asked > 3
    assert wrong == {}
    assert written() == before
