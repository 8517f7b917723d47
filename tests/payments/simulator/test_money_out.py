"""Money that leaves the simulated account: transfers, payouts, disputes, refunds that come back. Fen by fen."""

from typing import Any

import pytest
import stripe
from werkzeug.test import Client

from payments.simulator.application import Simulator
from payments.simulator.inprocess import take_deliveries
from tests.payments.simulator.test_behaviour import paid
from tests.payments.simulator.test_contract import BANK


def control(simulator: Simulator, address: str, /, **values: Any) -> Any:
    answer = Client(simulator).post(f"/_sim/{address}", json=values)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def pass_time(simulator: Simulator, seconds: int = 5) -> None:
    control(simulator, "clock", advance=seconds)


def balance(client: stripe.StripeClient, account: str | None = None) -> int:
    found = client.v1.balance.retrieve({}, {"stripe_account": account} if account else {})
    parts: list[Any] = [*found.available, *found.pending]
    return sum(part.amount for part in parts)


def told(client: stripe.StripeClient, account: str | None = None) -> list[str]:
    events = client.v1.events.list({"limit": 100}, {"stripe_account": account} if account else {})
    return [event.type for event in reversed(events.data)]


@pytest.fixture
def agency(client: stripe.StripeClient) -> str:
    """A connected account with a bank account, and 9,460 fen on the platform's own balance."""
    paid(client, 10_000)
    account = client.v1.accounts.create({"country": "HK", "email": "caiwu@example.cn"})
    client.v1.accounts.external_accounts.create(account.id, {"external_account": BANK})
    return account.id


def test_a_transfer_and_its_reversal_move_the_same_money_on_both_sides(
    client: stripe.StripeClient, agency: str
) -> None:
    transfer = client.v1.transfers.create({"amount": 6_000, "currency": "cny", "destination": agency})
    assert (balance(client), balance(client, agency)) == (3_460, 6_000)
    client.v1.transfers.reversals.create(transfer.id, {"amount": 1_000})
    assert (balance(client), balance(client, agency)) == (4_460, 5_000)
    with pytest.raises(stripe.InvalidRequestError, match="greater than unreversed"):
        client.v1.transfers.reversals.create(transfer.id, {"amount": 5_001})
    again = client.v1.transfers.retrieve(transfer.id)
    assert (again.amount_reversed, again.reversed, len(again.reversals.data)) == (1_000, False, 1)
    assert told(client)[-2:] == ["transfer.created", "transfer.reversed"]


def test_a_transfer_above_the_settled_balance_is_refused_and_its_key_remembers_that(
    simulator: Simulator, client: stripe.StripeClient, agency: str
) -> None:
    wanted: Any = {"amount": 9_461, "currency": "cny", "destination": agency}
    for _ in range(2):
        with pytest.raises(stripe.InvalidRequestError) as refusal:
            client.v1.transfers.create(wanted, {"idempotency_key": "t"})
        assert refusal.value.code == "balance_insufficient"
    paid(client, 10_000)
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.transfers.create(wanted, {"idempotency_key": "t"})
    assert client.v1.transfers.create(wanted, {"idempotency_key": "t2"}).amount == 9_461


def test_a_reversal_is_refused_once_the_agency_has_been_paid_out(
    simulator: Simulator, client: stripe.StripeClient, agency: str
) -> None:
    transfer = client.v1.transfers.create({"amount": 6_000, "currency": "cny", "destination": agency})
    client.v1.payouts.create({"amount": 6_000, "currency": "cny"}, {"stripe_account": agency})
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.transfers.reversals.create(transfer.id, {"amount": 1})
    assert refusal.value.code == "balance_insufficient"
    assert (balance(client), balance(client, agency)) == (3_460, 0)


def test_a_payout_arrives(simulator: Simulator, client: stripe.StripeClient, agency: str) -> None:
    client.v1.transfers.create({"amount": 6_000, "currency": "cny", "destination": agency})
    acting: Any = {"stripe_account": agency}
    payout = client.v1.payouts.create({"amount": 5_999, "currency": "cny", "metadata": {"payout_id": "x"}}, acting)
    assert (payout.status, balance(client, agency)) == ("pending", 1)
    pass_time(simulator)
    assert client.v1.payouts.retrieve(payout.id, {}, acting).status == "paid"
    assert told(client, agency)[-3:] == ["payout.created", "payout.updated", "payout.paid"]
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.payouts.retrieve(payout.id)  # the platform's own payouts are others
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.payouts.create({"amount": 2, "currency": "cny"}, acting)


@pytest.mark.parametrize(("number", "code"), [("000111111113", "account_closed"), ("000111111116", "no_account")])
def test_a_payout_to_a_test_account_comes_back(
    simulator: Simulator, client: stripe.StripeClient, number: str, code: str
) -> None:
    paid(client, 10_000)
    control(simulator, "bank-account", account_number=number)
    payout = client.v1.payouts.create({"amount": 9_000, "currency": "cny"})
    assert balance(client) == 460
    pass_time(simulator)
    failed = client.v1.payouts.retrieve(payout.id, {"expand": ["failure_balance_transaction"]})
    assert (failed.status, failed.failure_code, balance(client)) == ("failed", code, 9_460)
    back: Any = failed.failure_balance_transaction
    assert (back.amount, back.type) == (9_000, "payout_failure")


def test_a_paid_payout_may_still_fail_days_later_and_a_pending_one_can_be_canceled(
    simulator: Simulator, client: stripe.StripeClient
) -> None:
    paid(client, 10_000)
    payout = client.v1.payouts.create({"amount": 9_000, "currency": "cny"})
    pass_time(simulator)
    control(simulator, "payout-failures", payout=payout.id)
    control(simulator, "payout-failures", payout=payout.id)
    assert (client.v1.payouts.retrieve(payout.id).status, balance(client)) == ("failed", 9_460)
    control(simulator, "settings", payout_delay=60)
    other = client.v1.payouts.create({"amount": 1, "currency": "cny"})
    assert client.v1.payouts.cancel(other.id).status == "canceled"
    left = client.v1.payouts.create({"amount": 1, "currency": "cny"})
    pass_time(simulator, 30)
    with pytest.raises(stripe.InvalidRequestError, match="in_transit"):
        client.v1.payouts.cancel(left.id)
    assert (told(client)[-1], balance(client)) == ("payout.updated", 9_459)


@pytest.mark.parametrize(("evidence", "status", "left"), [("winning_evidence", "won", 0), ("losing_evidence", "lost", -10_000)])  # fmt: skip
def test_a_disputed_card_takes_the_money_back_until_the_bank_decides(
    simulator: Simulator, client: stripe.StripeClient, evidence: str, status: str, left: int
) -> None:
    client.v1.payment_intents.create(
        {"amount": 10_000, "currency": "cny", "payment_method": "pm_card_createDispute", "confirm": True}
    )
    (dispute,) = client.v1.disputes.list().data
    fees = 540 + 6_000
    assert (dispute.status, dispute.reason, balance(client)) == ("needs_response", "fraudulent", -fees)
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.refunds.create({"charge": str(dispute.charge)})
    assert refusal.value.code == "charge_disputed"
    client.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": evidence}})
    pass_time(simulator)
    closed = client.v1.disputes.retrieve(dispute.id)
    assert (closed.status, closed.evidence_details.submission_count) == (status, 1)
    assert balance(client) == 10_000 - fees + left if status == "won" else balance(client) == -fees
    assert [m.reporting_category for m in closed.balance_transactions] == (
        ["dispute", "dispute_reversal"] if status == "won" else ["dispute"]
    )


def test_a_dispute_is_lost_by_silence_and_by_giving_in(simulator: Simulator, client: stripe.StripeClient) -> None:
    charges = [str(paid(client, 500).latest_charge) for _ in range(2)]
    silent, given_in = (control(simulator, "disputes", charge=charge, amount=300) for charge in charges)
    assert client.v1.disputes.close(given_in["id"]).status == "lost"
    pass_time(simulator, 8 * 86_400)
    lost = client.v1.disputes.retrieve(silent["id"])
    assert (lost.status, lost.evidence_details.past_due, lost.amount) == ("lost", True, 300)
    assert Client(simulator).post("/_sim/disputes", json={"charge": charges[0]}).status_code == 400


def test_wallet_refunds_may_come_back_at_a_seeded_rate(simulator: Simulator, client: stripe.StripeClient) -> None:
    control(simulator, "settings", refund_failures=500, seed=7)
    refunds = []
    for _ in range(6):
        intent = client.v1.payment_intents.create({
            "amount": 1_000, "currency": "cny", "confirm": True, "payment_method_data": {"type": "wechat_pay"},
        })  # fmt: skip
        Client(simulator).post(f"/c/wechat/{intent.id}/confirm")
        refunds.append(client.v1.refunds.create({"payment_intent": intent.id}).id)
    pass_time(simulator)
    ends = [client.v1.refunds.retrieve(refund).status for refund in refunds]
    assert ends == ["failed", "failed", "succeeded", "succeeded", "failed", "failed"]
    assert balance(client) == 6 * -222 + 4 * 1_000


def test_events_of_connected_accounts_go_to_the_connect_endpoint_only(
    simulator: Simulator, client: stripe.StripeClient, agency: str
) -> None:
    for connect in (False, True):
        url = f"http://127.0.0.1:9/{'connect' if connect else 'own'}"
        client.v1.webhook_endpoints.create(
            {"url": url, "connect": connect, "enabled_events": ["payout.created", "transfer.created"]}
        )
    client.v1.transfers.create({"amount": 6_000, "currency": "cny", "destination": agency})
    client.v1.payouts.create({"amount": 6_000, "currency": "cny"}, {"stripe_account": agency})
    got = [(d.url.rsplit("/", maxsplit=1)[1], b'"account"' in d.body) for d in take_deliveries(simulator)]
    assert got == [("own", False), ("connect", True)]
