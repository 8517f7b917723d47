"""Who may take part, with a reason for each test; and what a notice must meet before it is published."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kernel.calendar import UnknownYear, WorkCalendar
from marketplace.rulebook import DEFAULT_RULE_BOOK as BOOK
from marketplace.rules.eligibility import (
    REASON_TEXTS,
    TEST_LABELS,
    Candidate,
    Demand,
    Test,
    Verdict,
    judge,
    raise_grade,
)
from marketplace.rules.qualifications import Certificate
from marketplace.rules.selection.gates import (
    FundSource,
    check_amounts,
    check_registration_period,
    check_split,
    minimum_pool,
)
from marketplace.rules.selection.methods import Method

DAY = date(2026, 11, 23)
USCC = "91110000600030001W"
RULE = {"all": [{"kind": "design", "grade": "B"}, {"any": [{"kind": "cma"}, {"kind": "mapping", "grade": "C"}]}]}


def certificate(kind: str, grade: str = "", until: date | None = None, valid: bool = True) -> Certificate:
    return Certificate(kind, grade, until, valid)


GOOD = (certificate("design", "A", date(2027, 1, 1)), certificate("cma", until=DAY))


def candidate(**changes: object) -> Candidate:
    facts: dict[str, object] = {
        "uscc": USCC,
        "is_admitted": True,
        "offers_service": True,
        "region_code": "320102",
        "certificates": GOOD,
        "representative": "张三",
    }
    return Candidate(**{**facts, **changes})  # type: ignore[arg-type]


def failed(verdict: Verdict) -> dict[str, str]:
    return {check.test: check.reason for check in verdict.failures}


def test_an_agency_that_meets_everything_is_eligible_with_a_reason_for_each_test() -> None:
    verdict = judge(Demand(RULE, "320100", {}, "911100006000300020", "李四"), candidate(), DAY)
    assert verdict.is_eligible
    assert [check.test for check in verdict.checks] == list(Test)
    assert [check.reason for check in verdict.checks] == [
        *("admitted", "in-good-standing", "grade-admitted", "offers-service", "qualified"),
        *("not-avoided", "independent", "in-region"),
    ]


@pytest.mark.parametrize(
    ("changes", "demand", "expected"),
    [
        ({"is_admitted": False}, Demand(RULE), {Test.ADMITTED: "not-admitted"}),
        ({"bar": "suspended"}, Demand(RULE), {Test.STANDING: "suspended"}),
        ({"offers_service": False}, Demand(RULE), {Test.SERVICE_TYPE: "no-offer"}),
        ({"certificates": GOOD[:1]}, Demand(RULE), {Test.QUALIFICATION: "unqualified"}),
        ({"certificates": (certificate("design", "C"), GOOD[1])}, Demand(RULE), {Test.QUALIFICATION: "unqualified"}),
        ({}, Demand(RULE, avoided={USCC: "同一股东"}), {Test.AVOIDANCE: "avoided"}),
        ({}, Demand(RULE, owner_uscc=USCC), {Test.INDEPENDENCE: "same-body"}),
        ({}, Demand(RULE, owner_representative="张三"), {Test.INDEPENDENCE: "same-representative"}),
        ({}, Demand(RULE, "320200"), {Test.REGION: "other-region"}),
        ({}, Demand(RULE, "320000"), {}),
        ({}, Demand(RULE, "320102"), {}),
        ({"region_code": "320100"}, Demand(RULE, "320102"), {Test.REGION: "other-region"}),
        ({"certificates": ()}, Demand({}), {}),
    ],
)
def test_each_condition_fails_alone_with_its_own_reason(
    changes: dict[str, object], demand: Demand, expected: dict[str, str]
) -> None:
    verdict = judge(demand, candidate(**changes), DAY)
    assert failed(verdict) == expected
    assert verdict.is_eligible is (not expected)


def test_a_certificate_counts_on_its_last_day_and_not_on_the_next() -> None:
    assert judge(Demand(RULE), candidate(), DAY).is_eligible
    late = judge(Demand(RULE), candidate(), date(2026, 11, 24))
    assert failed(late) == {Test.QUALIFICATION: "unqualified"}
    parts = next(check for check in late.checks if check.test == Test.QUALIFICATION).params["requirements"]
    assert [(part["kind"], part["met"], part["cause"]) for part in parts] == [
        ("design", True, ""),
        ("cma", False, "expired"),
        ("mapping", False, "missing"),
    ]


def test_an_expired_certificate_of_another_kind_changes_nothing() -> None:
    more = (*GOOD, certificate("valuation", until=date(2020, 1, 1)))
    assert judge(Demand(RULE), candidate(certificates=more), DAY).is_eligible


def test_several_failures_are_all_told() -> None:
    verdict = judge(Demand(RULE, "320200"), candidate(bar="suspended", offers_service=False), DAY)
    assert set(failed(verdict)) == {Test.STANDING, Test.SERVICE_TYPE, Test.REGION}
    assert not verdict.is_avoided
    assert judge(Demand(RULE, avoided={USCC: "x"}), candidate(), DAY).is_avoided


def test_a_verdict_survives_storage_and_every_reason_has_a_text() -> None:
    verdict = judge(Demand(RULE, "320200", {USCC: "冲突"}), candidate(), DAY)
    assert Verdict.from_json(verdict.to_json()) == verdict
    assert all(check.label in TEST_LABELS.values() and check.text in REASON_TEXTS.values() for check in verdict.checks)
    assert [c.text % dict(c.params) for c in verdict.failures if c.test == Test.AVOIDANCE] == [
        "The owner declared a conflict with this agency: 冲突"
    ]


@pytest.mark.parametrize(
    ("rule", "grade", "expected"),
    [
        ({}, "A", {}),
        ({"kind": "cma"}, "", {"kind": "cma"}),
        ({"kind": "cma"}, "B", {"kind": "cma", "grade": "B"}),
        ({"kind": "design", "grade": "A"}, "B", {"kind": "design", "grade": "A"}),
        (
            {"any": [{"kind": "design", "grade": "C"}, {"kind": "cma"}]},
            "B",
            {"any": [{"kind": "design", "grade": "B"}, {"kind": "cma", "grade": "B"}]},
        ),
    ],
)
def test_a_demanded_grade_only_makes_a_rule_stricter(rule: dict, grade: str, expected: dict) -> None:
    assert raise_grade(rule, grade) == expected


rules = st.recursive(
    st.fixed_dictionaries(
        {"kind": st.sampled_from(["design", "cma", "mapping"]), "grade": st.sampled_from(["", "A", "B", "C"])}
    ),
    lambda inner: st.one_of(
        st.fixed_dictionaries({"all": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"any": st.lists(inner, min_size=1, max_size=3)}),
    ),
    max_leaves=6,
)
certificates = st.lists(
    st.builds(
        Certificate,
        st.sampled_from(["design", "cma", "mapping"]),
        st.sampled_from(["", "A", "B", "C"]),
        st.one_of(st.none(), st.dates(date(2026, 1, 1), date(2027, 12, 31))),
        st.booleans(),
    ),
    max_size=6,
)


@given(rule=rules, held=certificates, more=certificates)
def test_one_more_certificate_never_makes_an_agency_ineligible(rule: dict, held: list, more: list) -> None:
    before = judge(Demand(rule), candidate(certificates=held), DAY)
    after = judge(Demand(rule), candidate(certificates=[*held, *more]), DAY)
    assert after.is_eligible or not before.is_eligible


@given(rule=rules, held=certificates, grade=st.sampled_from(["", "A", "B", "C"]))
def test_a_demanded_grade_never_lets_more_agencies_in(rule: dict, held: list, grade: str) -> None:
    strict = judge(Demand(raise_grade(rule, grade)), candidate(certificates=held), DAY)
    assert judge(Demand(rule), candidate(certificates=held), DAY).is_eligible or not strict.is_eligible


@given(order=st.permutations(range(4)), rule=rules, held=st.lists(st.sampled_from(GOOD), min_size=4, max_size=4))
def test_the_order_of_the_certificates_does_not_matter(order: list[int], rule: dict, held: list) -> None:
    shuffled = [held[i] for i in order]
    first = judge(Demand(rule), candidate(certificates=held), DAY)
    assert judge(Demand(rule), candidate(certificates=shuffled), DAY).is_eligible == first.is_eligible


def codes(findings: tuple) -> list[str]:
    return [finding.code for finding in findings]


@pytest.mark.parametrize(
    ("fund", "budget", "price", "ceiling", "expected"),
    [
        (FundSource.FISCAL, 10_000_00, 10_000_00, None, []),
        (FundSource.FISCAL, 10_000_00, 10_000_01, None, ["price-above-budget"]),
        (FundSource.SOCIAL, 10_000_00, 9_000_00, 8_000_00, ["price-above-ceiling"]),
        (FundSource.SOCIAL, 10_000_00, 9_000_00, 11_000_00, ["ceiling-above-budget"]),
        (FundSource.FISCAL, 600_000_00, 499_999_99, None, []),
        (FundSource.FISCAL, 600_000_00, 500_000_00, None, ["random-limit"]),
        (FundSource.MIXED, 600_000_00, 500_000_00, None, ["random-limit"]),
        (FundSource.SOCIAL, 600_000_00, 500_000_00, None, []),
        (FundSource.SOCIAL, 999_999_99, 500_000_00, None, []),
        (FundSource.SOCIAL, 1_000_000_00, 500_000_00, None, ["tender-limit"]),
    ],
)
def test_amounts_against_their_limits_to_the_fen(
    fund: str, budget: int, price: int, ceiling: int | None, expected: list[str]
) -> None:
    assert (
        codes(check_amounts(BOOK, fund_source=fund, budget_fen=budget, price_fen=price, ceiling_fen=ceiling))
        == expected
    )


def test_pools_by_fund_source() -> None:
    pools = {method: [minimum_pool(BOOK, method, fund) for fund in FundSource] for method in Method}
    assert pools == {
        Method.RANDOM: [3, 1, 3],
        Method.BID_LOW: [3, 1, 3],
        Method.BID_REF: [3, 1, 3],
        Method.COMBINED: [3, 1, 3],
        Method.MERIT_CREDIT: [2, 2, 2],
        Method.MERIT_PLAN: [2, 1, 2],
        Method.DIRECT: [1, 1, 1],
    }


def test_split_purchases_are_warned_of_and_not_refused() -> None:
    assert check_split(BOOK, budget_fen=300_000_00, earlier_fen=0, earlier_numbers=()) == ()
    assert check_split(BOOK, budget_fen=100_000_00, earlier_fen=100_000_00, earlier_numbers=("CG-1",)) == ()
    found = check_split(BOOK, budget_fen=300_000_00, earlier_fen=200_000_00, earlier_numbers=("CG-1",))
    assert codes(found) == ["split-purchase"]
    assert not found[0].blocks
    assert found[0].params == {"numbers": "CG-1", "total": "500,000"}


def test_registration_stays_open_for_three_working_days_across_a_holiday() -> None:
    calendar = WorkCalendar()
    opens = date(2026, 9, 24)  # Thursday; Mid-Autumn on the 25th, then a weekend with National Day near
    assert codes(check_registration_period(BOOK, calendar, opens_on=opens, ends_on=date(2026, 9, 29))) == [
        "period-too-short"
    ]
    assert check_registration_period(BOOK, calendar, opens_on=opens, ends_on=date(2026, 9, 30)) == ()
    with pytest.raises(UnknownYear):
        check_registration_period(BOOK, calendar, opens_on=date(2027, 3, 1), ends_on=date(2027, 3, 20))


@pytest.mark.parametrize(
    ("grade", "excluded", "reason"),
    [("C", ("D",), "grade-admitted"), ("D", ("D",), "grade-excluded"), ("D", (), "grade-admitted")],
)
def test_an_excluded_credit_grade_keeps_out(grade: str, excluded: tuple[str, ...], reason: str) -> None:
    verdict = judge(Demand(RULE, excluded_grades=excluded), candidate(grade=grade), DAY)
    check = next(check for check in verdict.checks if check.test == Test.CREDIT)
    assert (check.reason, check.params) == (reason, {"grade": grade})
    assert verdict.is_eligible is (reason == "grade-admitted")
