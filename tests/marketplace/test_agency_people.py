"""People, certificates and changes of agencies: one employer at a time, reminders once, old data valid until decided."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from app.identity.models import Notice
from app.kernel import clock
from app.kernel.access import Actor, Role
from app.kernel.commands import Plain, WithReason
from app.kernel.db import db
from app.kernel.errors import Conflict, IllegalTransition, NotAllowed, NotFound, Outdated, Refused
from marketplace.models.agencies import Agency, AgencyChange, AgencyDocument, AgencyPerson, ExpiryReminder, Practitioner
from marketplace.models.listings import Listing
from marketplace.queries import admission
from marketplace.queries.holdings import holdings_of
from marketplace.queries.obligations import obligations_of
from marketplace.rules.onboarding import normal_credit_code
from marketplace.rules.people import InvalidIdNumber, InvalidName, masked_name, normal_id_number, normal_name
from marketplace.rules.qualifications import Certificate, Node, explain, meets
from marketplace.services import agencies, contracts
from tests.builders import a_member
from tests.marketplace import contract_builders
from tests.marketplace.market import (
    a_complete_file,
    a_credit_code,
    a_paper,
    a_practitioner,
    an_admitted_agency,
    an_agency_member,
    an_id_number,
    an_offer,
    settle,
    the_items,
)

NOON = datetime(2026, 11, 20, 4, tzinfo=UTC)


def state_of(agency_id: UUID) -> str:
    found = db.session.get(Agency, agency_id, populate_existing=True)
    assert found is not None
    return found.state


# Names and numbers


def test_full_width_codes_are_read_and_wrong_ones_refused() -> None:
    code, number = a_credit_code(), an_id_number()
    wide = str.maketrans("0123456789ABX", "０１２３４５６７８９ＡＢＸ")
    assert normal_credit_code(f" {code.translate(wide)} ") == code
    assert normal_id_number(number.translate(wide).lower()) == number
    for wrong in (number[:-1] + ("0" if number[-1] != "0" else "1"), number[:17], "320102198002300011", "", "ABC"):
        with pytest.raises(InvalidIdNumber):
            normal_id_number(wrong)


@pytest.mark.parametrize("name", ["𠅤明", "阿卜杜拉·买买提", "㛃 珊", "Anna-Maria O’Neill"])
def test_rare_names_are_kept(name: str) -> None:
    assert normal_name(f"  {name} ") == name
    assert masked_name(name)[0] == name[0]
    assert set(masked_name(name)[1:]) == {"*"}


@pytest.mark.parametrize("name", ["", "张3", "张\u202e三", "张三😀", "<b>"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidName):
        normal_name(name)


# The rule as a tree

LEAVES = st.one_of(
    st.fixed_dictionaries({"kind": st.sampled_from(["cma", "mapping"])}, optional={"grade": st.sampled_from("ABC")}),
    st.fixed_dictionaries(
        {"staff": st.sampled_from(["registered_surveyor", "land"])}, optional={"count": st.integers(1, 3)}
    ),
)
RULES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.fixed_dictionaries({"all": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"any": st.lists(inner, min_size=1, max_size=3)}),
    ),
    max_leaves=8,
)
HELD = st.lists(
    st.builds(
        Certificate,
        kind=st.sampled_from(["cma", "mapping", "registered_surveyor"]),
        grade=st.sampled_from(["", "A", "B", "C"]),
        expires_on=st.sampled_from([None, date(2026, 1, 1), date(2027, 1, 1)]),
        is_valid=st.booleans(),
        holder=st.sampled_from(["", "p1", "p2", "p3"]),
    ),
    max_size=6,
)
DAY = date(2026, 6, 1)


def plain(rule: dict[str, Any], held: list[Certificate]) -> bool:
    """The rule computed the plain way."""
    if "all" in rule:
        return all(plain(part, held) for part in rule["all"])
    if "any" in rule:
        return any(plain(part, held) for part in rule["any"])
    good = [c for c in held if c.is_valid and (c.expires_on is None or c.expires_on >= DAY)]
    if "staff" in rule:
        return len({c.holder for c in good if c.holder and c.kind == rule["staff"]}) >= rule.get("count", 1)
    fitting = [c for c in good if not c.holder and c.kind == rule["kind"]]
    return any("grade" not in rule or (c.grade and c.grade <= rule["grade"]) for c in fitting)


def reasons(node: Node) -> list[tuple[bool, str]]:
    own = [(node.is_met, node.requirement.cause)] if node.requirement else []
    return own + [reason for part in node.parts for reason in reasons(part)]


@given(RULES, HELD, st.randoms(use_true_random=False))
def test_the_tree_decides_like_the_plain_computation(
    rule: dict[str, Any], held: list[Certificate], random: Any
) -> None:
    tree = explain(rule, held, DAY)
    assert tree.is_met == plain(rule, held)
    assert all(is_met == (cause == "") for is_met, cause in reasons(tree))
    shuffled = random.sample(held, len(held))
    assert meets(rule, shuffled, DAY).is_eligible == tree.is_met


@given(RULES, HELD, HELD)
def test_more_certificates_never_hurt(rule: dict[str, Any], held: list[Certificate], more: list[Certificate]) -> None:
    if meets(rule, held, DAY).is_eligible:
        assert meets(rule, held + more, DAY).is_eligible


# One employer at a time


def test_nobody_is_full_time_twice_until_the_day_after_the_last(app: Flask) -> None:
    with clock.at(NOON):
        first, one = an_admitted_agency("甲测绘有限公司")
        second, two = an_admitted_agency("乙测绘有限公司")
        number = an_id_number()
        person = a_practitioner(first, one, number=number)
        with pytest.raises(Conflict) as taken:
            a_practitioner(second, two, number=number)
        assert (taken.value.code, taken.value.params) == ("practitioner-elsewhere", {})
        assert db.session.scalar(select(func.count()).select_from(Practitioner)) == 1
        a_practitioner(second, two, number=an_id_number(), full_time=False)
        with pytest.raises(Conflict) as again:
            a_practitioner(first, one, number=number)
        assert again.value.code == "practitioner-entered"
        with pytest.raises(NotFound):
            agencies.leave_staff(second, person, agencies.LeaveStaff(date(2026, 11, 30)))
        agencies.leave_staff(first, person, agencies.LeaveStaff(date(2026, 11, 30)))
        with pytest.raises(Conflict) as later:
            a_practitioner(second, two, number=number)
        assert later.value.params == {"day": "2026-11-30"}
    with clock.at(datetime(2026, 11, 30, 15, 59, 59, tzinfo=UTC)):
        assert agencies.release_due() == 0
    with clock.at(datetime(2026, 11, 30, 16, tzinfo=UTC)):
        assert agencies.release_due() == 1
        a_practitioner(second, two, number=number)


def test_the_number_itself_is_nowhere(app: Flask) -> None:
    actor, agency_id = an_admitted_agency()
    number = an_id_number()
    person = a_practitioner(actor, agency_id, number=number)
    rows = [db.session.get(Practitioner, person), *db.session.scalars(select(AgencyPerson))]
    rows += list(db.session.scalars(select(AgencyChange)))
    for row in rows:
        assert row is not None
        assert number not in str({c.name: getattr(row, c.name) for c in row.__table__.columns})


@pytest.mark.postgresql
def test_two_agencies_claim_one_person_at_once(app: Flask) -> None:
    claims = [an_admitted_agency(name) for name in ("甲测绘有限公司", "乙测绘有限公司", "丙测绘有限公司")]
    number = an_id_number()

    def claim(who: tuple[Actor, UUID]) -> str:
        with app.app_context():
            try:
                a_practitioner(*who, number=number)
            except Conflict as refusal:
                return refusal.code
            return "registered"

    with ThreadPoolExecutor(3) as pool:
        answers = sorted(pool.map(claim, claims))
    assert answers == ["practitioner-elsewhere", "practitioner-elsewhere", "registered"]
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Practitioner)) == 1


def test_a_practitioners_certificate_counts_while_the_person_does(app: Flask) -> None:
    with clock.at(NOON):
        actor, agency_id = an_admitted_agency(certificates=())
        operator = a_member(Role.OPERATOR)
        person = a_practitioner(actor, agency_id)
        certificate = agencies.add_qualification(
            actor,
            agency_id,
            agencies.AddQualification(
                "registered_surveyor", "苏注1", expires_on=date(2026, 12, 31), practitioner_id=person
            ),
        )
        rule = {"staff": "registered_surveyor", "count": 1}

        def eligible() -> bool:
            db.session.expire_all()
            return meets(rule, holdings_of([agency_id])[agency_id], clock.today()).is_eligible

        agencies.accept_qualification(operator, certificate, Plain())
        assert not eligible()  # the person is not checked yet
        agencies.accept_practitioner(operator, person, Plain())
        assert eligible()
        assert state_of(agency_id) == "active"
    with clock.at(datetime(2026, 12, 31, 16, tzinfo=UTC)):
        assert agencies.expire_due() == 1
        assert not eligible()


# Reminders


def test_each_distance_reminds_once_and_a_renewed_certificate_not_at_all(app: Flask) -> None:
    with clock.at(NOON):
        actor, agency_id = an_admitted_agency(certificates=())
        operator = a_member(Role.OPERATOR)
        last = clock.today() + timedelta(days=100)
        entered = agencies.AddQualification("cma", "CMA-1", expires_on=last, file=a_paper())
        certificate = agencies.add_qualification(actor, agency_id, entered)
        agencies.accept_qualification(operator, certificate, Plain())
    told = {}
    for day in range(101):
        with clock.at(NOON + timedelta(days=day)):
            told[100 - day] = agencies.remind_of_expiry() + agencies.remind_of_expiry()
    assert {left: count for left, count in told.items() if count} == {90: 1, 60: 1, 30: 1, 7: 1}
    assert sorted(db.session.scalars(select(ExpiryReminder.days))) == [7, 30, 60, 90]
    notices = select(func.count()).select_from(Notice).where(Notice.kind == "marketplace.qualification")
    assert db.session.scalar(notices.where(Notice.subject == "A certificate expires soon")) == 4


def test_a_renewed_certificate_is_not_reminded_of(app: Flask) -> None:
    with clock.at(NOON):
        actor, agency_id = an_admitted_agency(certificates=())
        operator = a_member(Role.OPERATOR)
        for days in (80, 800):
            last = clock.today() + timedelta(days=days)
            entered = agencies.AddQualification("cma", "CMA-1", expires_on=last, file=a_paper())
            agencies.accept_qualification(operator, agencies.add_qualification(actor, agency_id, entered), Plain())
        assert agencies.remind_of_expiry() == 0
        with pytest.raises(Conflict):
            agencies.add_qualification(actor, agency_id, entered)
        with pytest.raises(NotAllowed):
            agencies.remind_now(actor, ())


def test_expiry_closes_that_service_only_and_renewal_opens_it_again(app: Flask) -> None:
    with clock.at(NOON):
        items = the_items("ZJ-020", "ZJ-003")
        actor, agency_id = an_admitted_agency(certificates=())
        operator = a_member(Role.OPERATOR)
        held = agencies.AddQualification("mapping", "M-1", grade="B", expires_on=date(2026, 12, 31), file=a_paper())
        agencies.accept_qualification(operator, agencies.add_qualification(actor, agency_id, held), Plain())
        an_offer(actor, items["ZJ-020"])
        an_offer(actor, items["ZJ-003"])
        settle()
    with clock.at(datetime(2026, 12, 31, 16, tzinfo=UTC)):
        assert agencies.expire_due() == 1
        settle()
        shown = dict(db.session.execute(select(Listing.item_id, Listing.state)).all())  # type: ignore[arg-type]
        assert shown == {items["ZJ-020"]: "suspended", items["ZJ-003"]: "published"}
        assert state_of(agency_id) == "restricted"
        renewed = agencies.AddQualification("mapping", "M-2", grade="B", expires_on=date(2029, 6, 30), file=a_paper())
        certificate = agencies.add_qualification(actor, agency_id, renewed)
        assert state_of(agency_id) == "change_pending"
        agencies.accept_qualification(operator, certificate, Plain())
        settle()
        assert set(db.session.scalars(select(Listing.state))) == {"published"}
        assert state_of(agency_id) == "active"


# Changes


def a_change(actor: Actor, agency_id: UUID, name: str = "苏诚测绘集团有限公司") -> UUID:
    command = agencies.ChangeBasic(name, "enterprise", "320102", "南京市玄武区珠江路1号", "更名", a_paper())
    return agencies.ask_basic_change(actor, agency_id, command)


def test_old_data_are_valid_until_the_change_is_decided(app: Flask) -> None:
    with clock.at(NOON):
        actor, agency_id = an_admitted_agency()
        operator = a_member(Role.OPERATOR)
        change_id = a_change(actor, agency_id)
        view = admission.change_view(operator, change_id)
        assert [(d.name, d.before, d.after) for d in view.differences] == [
            ("name", "苏诚测绘有限公司", "苏诚测绘集团有限公司")
        ]
        # two working days after Friday: Tuesday
        assert (view.due_at, state_of(agency_id)) == (datetime(2026, 11, 24, 15, 59, 59, tzinfo=UTC), "change_pending")
        agency = db.session.get_one(Agency, agency_id)
        assert agency.name == "苏诚测绘有限公司"
        with pytest.raises(Conflict) as second:
            a_change(actor, agency_id, "另一名称有限公司")
        assert second.value.code == "change-pending"
        with pytest.raises(NotAllowed):
            agencies.accept_change(actor, change_id, Plain())
        agencies.accept_change(operator, change_id, Plain(view.version))
        db.session.expire_all()
        assert (agency.name, state_of(agency_id)) == ("苏诚测绘集团有限公司", "active")
        with pytest.raises((IllegalTransition, Outdated)):
            agencies.refuse_change(a_member(Role.OPERATOR), change_id, WithReason("x", view.version))


def test_a_refused_change_changes_nothing(app: Flask) -> None:
    actor, agency_id = an_admitted_agency()
    operator = a_member(Role.OPERATOR)
    command = agencies.ChangeRepresentative("秦朗", an_id_number())
    change_id = agencies.ask_representative_change(actor, agency_id, command)
    with pytest.raises(Refused):
        agencies.refuse_change(operator, change_id, WithReason(" "))
    assert state_of(agency_id) == "change_pending"
    agencies.refuse_change(operator, change_id, WithReason("执照尚未变更"))
    db.session.expire_all()
    assert db.session.get_one(Agency, agency_id).legal_representative == "沈知远"
    assert state_of(agency_id) == "active"
    again = agencies.ask_representative_change(actor, agency_id, command)
    agencies.accept_change(operator, again, Plain())
    db.session.expire_all()
    assert db.session.get_one(Agency, agency_id).legal_representative == "秦朗"
    people = admission.people_of([agency_id])[agency_id]
    assert [(p.part, p.name) for p in people] == [("legal_representative", "秦朗")]


@pytest.mark.postgresql
def test_two_operators_decide_one_change_at_once(app: Flask) -> None:
    actor, agency_id = an_admitted_agency()
    change_id = a_change(actor, agency_id)
    operators = [a_member(Role.OPERATOR), a_member(Role.OPERATOR)]

    def decide(number: int) -> str:
        with app.app_context():
            try:
                if number:
                    agencies.refuse_change(operators[1], change_id, WithReason("不清晰"))
                else:
                    agencies.accept_change(operators[0], change_id, Plain())
            except (IllegalTransition, Outdated):
                return "late"
            return "decided"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(decide, (0, 1))) == ["decided", "late"]
    db.session.rollback()
    change = db.session.get_one(AgencyChange, change_id, populate_existing=True)
    name = db.session.get_one(Agency, agency_id, populate_existing=True).name
    assert (change.state, name) in {("accepted", "苏诚测绘集团有限公司"), ("refused", "苏诚测绘有限公司")}
    assert state_of(agency_id) == "active"


# Papers, shares, leaving


def test_the_same_file_again_changes_nothing(app: Flask) -> None:
    actor = an_agency_member()
    agency_id = a_complete_file(actor)
    first = agencies.add_document(actor, agency_id, agencies.AddDocument("licence", a_paper("副本.png")))
    assert agencies.add_document(actor, agency_id, agencies.AddDocument("licence", a_paper("再次.png"))) == first
    papers = select(func.count()).select_from(AgencyDocument).where(AgencyDocument.kind == "licence")
    assert db.session.scalar(papers) == 1


def test_shares_are_parts_of_one_whole(app: Flask) -> None:
    actor, agency_id = an_admitted_agency()
    agencies.add_person(actor, agency_id, agencies.AddPerson("shareholder", "周立", an_id_number(), share_permille=600))
    with pytest.raises(Refused) as refusal:
        too_much = agencies.AddPerson("shareholder", "吴声", an_id_number(), share_permille=401)
        agencies.add_person(actor, agency_id, too_much)
    assert refusal.value.code == "shares-over-whole"
    body = agencies.AddPerson("shareholder", "江海控股有限公司", a_credit_code(), is_body=True, share_permille=400)
    agencies.add_person(actor, agency_id, body)
    assert [p.share_permille for p in admission.people_of([agency_id])[agency_id]] == [None, 600, 400]


def test_nobody_leaves_with_something_open(app: Flask, clock_at: Any) -> None:
    clock_at(contract_builders.JUNE_1)
    actor, agency_id = an_admitted_agency()
    owner = a_member(Role.OWNER)
    assert actor.organisation_id is not None
    assert owner.organisation_id is not None
    award = contract_builders.an_award(owner.organisation_id, actor.organisation_id)
    contract_id = contracts.draw_up_contract(award, actor.organisation_id, contract_builders.PRICE)
    agencies.ask_exit(actor, agency_id, WithReason("停业"))
    assert state_of(agency_id) == "exit_pending"
    found = obligations_of(actor.organisation_id)
    assert {o.kind for o in found} >= {"Engagement"}
    assert f"/contracts/{contract_id}" in {o.href for o in found}
    with pytest.raises(Conflict) as refusal:
        agencies.leave(actor, agency_id, Plain())
    assert refusal.value.params["count"] == len(refusal.value.extra["obligations"]) == len(found)
    assert agencies.leave_due() == 0
    assert state_of(agency_id) == "exit_pending"
    agencies.stay(actor, agency_id, Plain())
    assert state_of(agency_id) == "active"
