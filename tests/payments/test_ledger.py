"""Postings balance whatever they are made of, and money that is not there cannot be spent."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments import ledger
from payments.ledger import Account, AccountType, Entry, Posting, Unbalanced
from payments.observed import Movement
from payments.states import BillKind

AT = datetime(2026, 11, 20, tzinfo=UTC)
BILL = UUID(int=1)
amounts = st.integers(min_value=1, max_value=99_999_999)


def charge(gross: int, fee: int, ref: str = "txn_1") -> Movement:
    return Movement(ref, "charge", gross, fee, "CNY", AT, "ch_1")


def credit(kind: BillKind, fen: int, bill_id: UUID = BILL) -> ledger.Credit:
    return ledger.Credit(bill_id, ledger.destination(kind, bill_id), fen)


def route(kind: BillKind) -> str:
    """A gateway that may take this kind of money."""
    return "stripe_treasury" if kind is BillKind.STATUTORY_FEE else "stripe"


@pytest.mark.parametrize("kind", BillKind)
@pytest.mark.parametrize("gateway", ["stripe", "bank", "alipay", "stripe_treasury", "bank_treasury"])
def test_statutory_money_lies_with_the_treasury_from_its_first_moment_and_no_other_money_does(
    gateway: str, kind: BillKind
) -> None:
    fits = (kind is BillKind.STATUTORY_FEE) == (gateway in ledger.TREASURY_GATEWAYS)
    for post in (
        lambda: ledger.charge_settled(gateway, charge(5, 0), [credit(kind, 5)], ""),
        lambda: ledger.assigned(UUID(int=9), gateway, [credit(kind, 5)], AT, ""),
    ):
        if fits:
            assert sum(entry.amount_fen for entry in post().entries) == 0
        else:
            with pytest.raises(ledger.Misrouted):
                post()


@given(st.lists(amounts, min_size=2, max_size=5), st.sampled_from(BillKind))
def test_one_payment_of_several_bills_is_one_posting_split_by_bill(parts: list[int], kind: BillKind) -> None:
    shares = [credit(kind, fen, UUID(int=n)) for n, fen in enumerate(parts, 1)]
    posting = ledger.charge_settled(route(kind), charge(sum(parts), 1), shares, "")
    split = [(e.bill_id, e.amount_fen) for e in posting.entries if e.bill_id]
    assert split == [(UUID(int=n), -fen) for n, fen in enumerate(parts, 1)]
    assert posting.bill_id is None
    with pytest.raises(Unbalanced):
        ledger.charge_settled(route(kind), charge(sum(parts) + 1, 1), shares, "")


@given(amounts, st.data(), st.sampled_from(BillKind))
def test_a_charge_balances_and_holds_the_whole_amount(gross: int, data: st.DataObject, kind: BillKind) -> None:
    fee = data.draw(st.integers(min_value=0, max_value=gross))
    posting = ledger.charge_settled(route(kind), charge(gross, fee), [credit(kind, gross)], "")
    assert sum(e.amount_fen for e in posting.entries) == 0
    held = [e.amount_fen for e in posting.entries if e.account == ledger.destination(kind, BILL)]
    assert held == [-gross]
    assert posting.key == f"{route(kind)}:txn_1"


@given(st.lists(st.integers(min_value=-(10**9), max_value=10**9), min_size=1, max_size=6))
def test_entries_that_do_not_sum_to_zero_are_no_posting(values: list[int]) -> None:
    entries = tuple(Entry(Account(f"a:{n}", AccountType.ASSET), value) for n, value in enumerate(values))
    if sum(values) == 0 and all(values):
        assert Posting("k", "x", AT, entries, "").entries == entries
    else:
        with pytest.raises(Unbalanced):
            Posting("k", "x", AT, entries, "")


@pytest.mark.parametrize("amount", [0.5, 1.0, True])
def test_only_whole_fen_are_posted(amount: float) -> None:
    entries = (Entry(ledger.suspense(), amount), Entry(ledger.gateway_fees(), -amount))  # type: ignore[arg-type]
    with pytest.raises(Unbalanced, match="whole number of fen"):
        Posting("k", "x", AT, entries, "")


def test_two_currencies_do_not_make_one_posting() -> None:
    with pytest.raises(Unbalanced):
        Posting("k", "x", AT, (Entry(ledger.suspense("CNY"), 1), Entry(ledger.suspense("HKD"), -1)), "")


def test_statutory_money_goes_to_the_treasury_account_and_courier_money_to_the_courier() -> None:
    assert ledger.destination(BillKind.STATUTORY_FEE, BILL).code == "treasury_payable"
    assert ledger.destination(BillKind.COURIER_FEE, BILL).code == "courier_payable"
    assert ledger.destination(BillKind.SERVICE_FEE, BILL).code == f"escrow:{BILL}"


@given(amounts)
def test_a_refund_that_fails_leaves_everything_where_it_was(amount: int) -> None:
    refund_id = uuid4()
    source = ledger.escrow(BILL)
    out = Movement("txn_2", "refund", -amount, 0, "CNY", AT, "re_1")
    back = Movement("txn_3", "refund_failure", amount, 0, "CNY", AT, "re_1")
    postings = (
        ledger.refund_held(refund_id, [(source, amount)], AT, "", BILL),
        ledger.refund_moved("stripe", out, refund_id, "", BILL),
        ledger.refund_moved("stripe", back, refund_id, "", BILL),
        ledger.refund_unheld(refund_id, [(source, amount)], AT, "", BILL),
    )
    sums: dict[str, int] = {}
    for posting in postings:
        for entry in posting.entries:
            sums[entry.account.code] = sums.get(entry.account.code, 0) + entry.amount_fen
    assert set(sums.values()) == {0}
    assert len({posting.key for posting in postings}) == 4


@pytest.mark.parametrize(
    ("account", "balance", "wrong"),
    [
        (ledger.escrow(BILL), -1, False),
        (ledger.escrow(BILL), 0, False),
        (ledger.escrow(BILL), 1, True),
        (ledger.payable(BILL), 1, True),
        (ledger.suspense(), 1, True),
        (ledger.at_gateway("stripe"), -1, False),
        (Account("bank:main", AccountType.ASSET), -1, True),
    ],
)
def test_which_balances_stand_on_the_wrong_side(account: Account, balance: int, wrong: bool) -> None:
    assert ledger.stands_wrong(account, balance) is wrong
