"""What a fact means for an attempt, for every order and repetition of facts."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.observed import NOTHING, Attempt, Conclusion, Misfit, Movement, PaymentFact, Reported, Share, conclude
from payments.states import PAYMENT, PaymentState

AT = datetime(2026, 11, 20, tzinfo=UTC)
FIRST, SECOND = UUID(int=1), UUID(int=2)


def fact(status: Reported, amount: int = 100, currency: str = "CNY") -> PaymentFact:
    charge = Movement("txn_1", "charge", amount, 3, currency, AT, "ch_1") if status is Reported.SUCCEEDED else None
    return PaymentFact(status, "cs_1", "pi_1", "http://x", amount, currency, None, "card", AT, charge, None)


def attempt(state: PaymentState, *, is_open: bool = True, another: bool = False) -> Attempt:
    return Attempt(state, 100, "CNY", (Share(FIRST, is_open, another),))


@pytest.mark.parametrize("state", [PaymentState.NEW, PaymentState.PENDING, PaymentState.EXPIRED, PaymentState.CANCELED])
def test_a_success_is_credited_even_when_we_had_given_the_attempt_up(state: PaymentState) -> None:
    assert conclude(attempt(state), fact(Reported.SUCCEEDED)) == Conclusion("succeed")


@pytest.mark.parametrize(
    ("known", "told", "misfit"),
    [
        (attempt(PaymentState.PENDING), fact(Reported.SUCCEEDED, amount=99), Misfit.AMOUNT),
        (attempt(PaymentState.PENDING), fact(Reported.SUCCEEDED, amount=101), Misfit.AMOUNT),
        (attempt(PaymentState.PENDING), fact(Reported.SUCCEEDED, currency="HKD"), Misfit.CURRENCY),
        (attempt(PaymentState.PENDING, is_open=False), fact(Reported.SUCCEEDED), Misfit.BILL_CLOSED),
        (attempt(PaymentState.EXPIRED, another=True), fact(Reported.SUCCEEDED), Misfit.ANOTHER_ATTEMPT),
    ],
)
def test_money_that_does_not_fit_is_set_aside_with_the_reason(
    known: Attempt, told: PaymentFact, misfit: Misfit
) -> None:
    assert conclude(known, told) == Conclusion("set_aside", misfit)


def test_bills_paid_together_are_judged_one_by_one() -> None:
    def together(*, first: bool, second: bool) -> Attempt:
        shares = (
            Share(FIRST, is_open=first, another_is_live=False),
            Share(SECOND, is_open=second, another_is_live=False),
        )
        return Attempt(PaymentState.PENDING, 100, "CNY", shares)

    told = fact(Reported.SUCCEEDED)
    assert conclude(together(first=True, second=True), told) == Conclusion("succeed")
    half = Conclusion("succeed", unfit=((SECOND, Misfit.BILL_CLOSED),))
    assert conclude(together(first=True, second=False), told) == half
    assert conclude(together(first=False, second=False), told) == Conclusion("set_aside", Misfit.BILL_CLOSED)


@pytest.mark.parametrize("status", list(Reported))
@pytest.mark.parametrize("state", [PaymentState.SUCCEEDED, PaymentState.SURPLUS])
def test_nothing_takes_back_a_success(state: PaymentState, status: Reported) -> None:
    assert conclude(attempt(state), fact(status)) == NOTHING


@given(st.lists(st.sampled_from(Reported), max_size=8))
def test_every_sequence_of_facts_stays_in_the_table_and_ends_paid_once_success_was_told(told: list[Reported]) -> None:
    state = PaymentState.NEW
    credited = 0
    for status in told:
        conclusion = conclude(attempt(state, is_open=credited == 0), fact(status))
        if conclusion.action:
            edge = PAYMENT.edge(conclusion.action, state)
            assert edge is not None, f"{conclusion.action} from {state}"
            state = PaymentState(edge.target)
            credited += conclusion.action == "succeed"
    assert credited == (1 if Reported.SUCCEEDED in told else 0)
    if Reported.SUCCEEDED in told:
        assert state is PaymentState.SUCCEEDED
