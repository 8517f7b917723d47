"""Detected relations: every kind by an example, and the properties that hold for all parties."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.rules.relations import (
    Kind,
    Party,
    Person,
    Role,
    Share,
    incompatible_roles,
    related_pairs,
    relations,
    roles_of,
)

A = Party(
    "苏诚测绘有限公司",
    "91320100MA0000001X",
    representatives=(Person("沈知远"),),
    shares=(Share(Person("陆青禾", "320102198001010011"), 2500), Share(Person("赵小股"), 2499)),
    controllers=(Person("陆青禾", "320102198001010011"),),
    address="南京市玄武区珠江路 1 号",
    phones=("025-8321 0001",),
    emails=("Office@Example.test",),
)
B = Party("江宁规划咨询有限公司", "91320100MA00000028")


def kinds(one: Party, other: Party) -> set[str]:
    return {relation.kind for relation in relations(one, other, share_percent=25)}


@pytest.mark.parametrize(
    ("other", "kind"),
    [
        (replace(B, uscc=A.uscc.lower()), Kind.SAME_BODY),
        (replace(B, representatives=(Person("沈 知远"),)), Kind.REPRESENTATIVE),
        (Party("沈知远"), Kind.REPRESENTATIVE),
        (replace(B, shares=(Share(Person("陆青禾", "320102198001010011"), 3000),)), Kind.SHAREHOLDER),
        (replace(B, shares=(Share(Person("苏诚测绘有限公司"), 5100),)), Kind.SHAREHOLDER),
        (replace(B, controllers=(Person("陆青禾"),)), Kind.CONTROLLER),
        (replace(B, controllers=(Person("苏诚测绘", A.uscc),)), Kind.CONTROLLER),
        (replace(B, superiors=(Person("苏诚测绘有限公司"),)), Kind.SUBORDINATE),
        (replace(B, address="南京市玄武区珠江路1号"), Kind.ADDRESS),
        (replace(B, phones=("+86 025 83210001",)), Kind.PHONE),
        (replace(B, phones=("０２５－８３２１０００１",)), Kind.PHONE),
        (replace(B, emails=("office@example.test",)), Kind.EMAIL),
    ],
)
def test_each_kind_is_found_in_both_directions(other: Party, kind: Kind) -> None:
    assert kinds(A, other) == {str(kind)}
    assert kinds(other, A) == {str(kind)}


def test_what_is_empty_or_small_or_another_person_relates_nobody() -> None:
    assert kinds(A, B) == set()
    assert kinds(Party("甲"), Party("乙")) == set()
    small = replace(B, shares=(Share(Person("陆青禾", "320102198001010011"), 2499),))
    assert kinds(A, small) == set()
    namesake = replace(B, controllers=(Person("陆青禾", "320102199912310022"),))
    assert kinds(A, namesake) == set()


words = st.sampled_from(["", "张伟", "李娜", "王芳", "陆青禾"])
people = st.builds(Person, words, st.sampled_from(["", "1", "2"]))
parties = st.builds(
    Party,
    st.text("甲乙丙丁", min_size=1, max_size=3),
    st.sampled_from(["", "91A", "91B", "91C"]),
    representatives=st.lists(people, max_size=2),
    shares=st.lists(st.builds(Share, people, st.integers(0, 10_000)), max_size=2),
    controllers=st.lists(people, max_size=1),
    address=st.sampled_from(["", "珠江路1号", "珠江路 1 号", "北京东路2号"]),
    phones=st.lists(st.sampled_from(["", "025-1", "0251", "110"]), max_size=2),
    emails=st.lists(st.sampled_from(["", "a@b.test", "A@B.test"]), max_size=2),
    superiors=st.lists(people, max_size=1),
)


@given(parties, parties, st.integers(1, 100))
def test_a_relation_holds_in_both_directions(one: Party, other: Party, percent: int) -> None:
    assert relations(one, other, share_percent=percent) == relations(other, one, share_percent=percent)


@given(parties, parties, st.integers(1, 99))
def test_a_higher_threshold_never_finds_more(one: Party, other: Party, percent: int) -> None:
    strict = set(relations(one, other, share_percent=percent + 1))
    assert strict <= set(relations(one, other, share_percent=percent))


@given(st.lists(parties, max_size=7), st.integers(1, 100))
def test_the_quick_search_among_many_finds_what_comparing_all_finds(many: list[Party], percent: int) -> None:
    by_key = {str(number): party for number, party in enumerate(many)}
    quick = related_pairs(by_key, share_percent=percent)
    slow = {
        (a, b): found
        for a in by_key
        for b in by_key
        if a < b and (found := relations(by_key[a], by_key[b], share_percent=percent))
    }
    assert quick == slow


def test_a_thousand_unrelated_registrants_are_compared_quickly() -> None:
    many = {str(n): Party(f"机构{n}", f"9132{n:014d}", representatives=(Person(f"代表{n}"),)) for n in range(1000)}
    many["1000"] = replace(many["7"], name="影子公司", uscc="91320000000000000X")
    assert list(related_pairs(many, share_percent=25)) == [("1000", "7")]


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ("施工图设计文件审查", {Role.DRAWING_REVIEWER}),
        ("人防工程施工图审查", {Role.DRAWING_REVIEWER}),
        ("施工图设计", {Role.DESIGNER}),
        ("工程监理", {Role.SUPERVISOR}),
        ("环境影响技术评估", {Role.TECHNICAL_REVIEWER}),
        ("建设项目环境影响报告书编制", {Role.DRAFTER}),
        ("工程结算审核", {Role.SETTLEMENT_AUDITOR}),
        ("工程造价咨询（概算、预算、控制价）", {Role.COST_CONSULTANT}),
        ("初步设计及概算编制", {Role.DESIGNER, Role.COST_CONSULTANT, Role.DRAFTER}),
        ("房产测绘（预测、实测）", set()),
    ],
)
def test_the_role_follows_from_the_item(item: str, expected: set[Role]) -> None:
    assert roles_of(item) == {str(role) for role in expected}


def test_nobody_reviews_its_own_work() -> None:
    assert incompatible_roles({"designer"}, {"drawing_reviewer"}) == (("designer", "drawing_reviewer"),)
    assert incompatible_roles({"drafter"}, {"technical_reviewer"}) == (("drafter", "technical_reviewer"),)
    assert incompatible_roles({"settlement_auditor"}, {"cost_consultant"}) == (
        ("settlement_auditor", "cost_consultant"),
    )
    assert incompatible_roles({"supervisor"}, {"contractor"}) == (("supervisor", "contractor"),)
    assert incompatible_roles({"designer", "drafter"}, {"designer", "supervisor"}) == ()
