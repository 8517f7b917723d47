"""GMBID/1 without a database: the published vector, sealing that fits one tender and one bidder, two shares and never one."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.rules import opening_keys, sealed_quotes
from marketplace.rules.opening_keys import Holder
from marketplace.rules.sealed_quotes import Bid, CannotOpen, NotCanonical

TENDER, BIDDER = "T-2026-0001", "91110000600030001W"
NONCE = "5a" * 32


def test_the_published_vector() -> None:
    expected = "b71a846316923b3f490401f8101962ce41206fbaa7d90cb74885a8a37c93d6d0"
    assert sealed_quotes.commitment(TENDER, BIDDER, "128000.00", "0" * 64) == expected


@pytest.mark.parametrize(
    "price",
    [
        "128000",
        "128000.0",
        "128000.000",
        "0128000.00",
        "-1.00",
        "+1.00",
        "1e5.00",
        "１２８.00",
        "128 000.00",
        "1,280.00",
        ".50",
        "",
    ],
)
def test_a_price_has_one_spelling(price: str) -> None:
    with pytest.raises(NotCanonical):
        Bid(price, NONCE)


@pytest.mark.parametrize("nonce", ["0" * 63, "0" * 65, "A" * 64, "g" * 64, "０" * 64])
def test_a_nonce_has_one_spelling(nonce: str) -> None:
    with pytest.raises(NotCanonical):
        Bid("1.00", nonce)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**15 - 1))
def test_every_price_comes_back_and_is_equally_long(fen: int) -> None:
    key = opening_keys.new_tender_key()
    bid = Bid(sealed_quotes.price_of(fen), NONCE)
    sealed = sealed_quotes.seal(key.public_key, TENDER, BIDDER, bid)
    assert len(sealed) == sealed_quotes.SEALED_BYTES
    private = opening_keys.join(key.public_key, tuple(key.shares.values())[:2])
    opened = sealed_quotes.unseal(private, TENDER, BIDDER, sealed)
    assert (opened, opened.price_fen) == (bid, fen)


def test_swapped_to_another_tender_bidder_or_key_nothing_opens() -> None:
    key, other = opening_keys.new_tender_key(), opening_keys.new_tender_key()
    private = opening_keys.join(key.public_key, tuple(key.shares.values())[:2])
    foreign = opening_keys.join(other.public_key, tuple(other.shares.values())[:2])
    sealed = sealed_quotes.seal(key.public_key, TENDER, BIDDER, Bid("1.00", NONCE))
    broken = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for attempt in (
        (private, "T-2026-0002", BIDDER, sealed),
        (private, TENDER, "911100006000300020", sealed),
        (foreign, TENDER, BIDDER, sealed),
        (private, TENDER, BIDDER, broken),
        (private, TENDER, BIDDER, b""),
    ):
        with pytest.raises(CannotOpen):
            sealed_quotes.unseal(*attempt)


def test_any_two_shares_open_and_one_alone_does_not() -> None:
    key = opening_keys.new_tender_key()
    private = opening_keys.join(key.public_key, (key.shares[Holder.OWNER], key.shares[Holder.SUPERVISION]))
    for pair in ((Holder.OWNER, Holder.PLATFORM), (Holder.SUPERVISION, Holder.PLATFORM)):
        assert opening_keys.join(key.public_key, tuple(key.shares[holder] for holder in pair)) == private
    for share in key.shares.values():
        for alone in ((share,), (share, share), (share, bytes(33)), (share, share[:-1] + bytes([share[-1] ^ 1]))):
            with pytest.raises(opening_keys.WrongShare):
                opening_keys.join(key.public_key, alone)
        assert private not in (share[:-1], share[1:])


def test_a_code_is_typed_in_any_manner_and_a_slip_is_found() -> None:
    code = opening_keys.new_code()
    public = opening_keys.public_key_of(code)
    typed = code.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    assert opening_keys.public_key_of(typed) == public
    missed = 0
    for place, sign in enumerate(code):
        if sign == "-":
            continue
        wrong = code[:place] + ("7" if sign != "7" else "8") + code[place + 1 :]
        try:
            opening_keys.private_key_of(wrong)
        except opening_keys.BadCode:
            continue
        missed += 1
    assert missed == 0 or missed <= 1  # twelve check bits: one slip in 4,096 goes unseen
    for bad in ("", code[:-1], code + "A", "U" * 28):
        with pytest.raises(opening_keys.BadCode):
            opening_keys.private_key_of(bad)


def test_a_share_is_sealed_to_one_code_one_tender_and_one_holder() -> None:
    code = opening_keys.new_code()
    share = opening_keys.new_tender_key().shares[Holder.OWNER]
    sealed = opening_keys.seal_share(opening_keys.public_key_of(code), TENDER, Holder.OWNER, share)
    assert opening_keys.unseal_share(code, TENDER, Holder.OWNER, sealed) == share
    for attempt in (
        (opening_keys.new_code(), TENDER, Holder.OWNER),
        (code, "T-2026-0002", Holder.OWNER),
        (code, TENDER, Holder.SUPERVISION),
    ):
        with pytest.raises(opening_keys.WrongShare):
            opening_keys.unseal_share(*attempt, sealed)


def test_weak_points_are_no_keys() -> None:
    assert not opening_keys.is_public_key(bytes(32))
    assert not opening_keys.is_public_key(bytes(31))
    assert opening_keys.is_public_key(opening_keys.public_key_of(opening_keys.new_code()))


@pytest.mark.parametrize(
    ("price", "promised_for", "why"),
    [
        ("100.00", "100.00", None),
        ("100.01", "100.00", sealed_quotes.WRONG_COMMITMENT),
        ("0.00", "0.00", sealed_quotes.NOT_POSITIVE),
        ("200.00", "200.00", None),
        ("200.01", "200.01", sealed_quotes.ABOVE_CEILING),
        ("49.99", "49.99", sealed_quotes.BELOW_FLOOR),
        ("50.00", "50.00", None),
    ],
)
def test_what_counts(price: str, promised_for: str, why: str | None) -> None:
    promised = sealed_quotes.commitment(TENDER, BIDDER, promised_for, NONCE)
    found = sealed_quotes.why_invalid(Bid(price, NONCE), promised, TENDER, BIDDER, ceiling_fen=20000, floor_fen=5000)
    assert found == why


def test_a_plan_opens_with_its_key_only() -> None:
    sealed, key = sealed_quotes.seal_plan("方案.pdf", b"%PDF-1.7 ...")
    assert b"PDF" not in sealed
    assert sealed_quotes.unseal_plan(sealed, key) == ("方案.pdf", b"%PDF-1.7 ...")
    for wrong in ("0" * 64, sealed_quotes.new_nonce()):
        with pytest.raises(CannotOpen):
            sealed_quotes.unseal_plan(sealed, wrong)
    with pytest.raises(CannotOpen):
        sealed_quotes.unseal_plan(b"", key)
