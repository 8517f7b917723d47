"""The pages and the API of sealed quotes: the form's two ways, refusals that keep nothing, and who is shown which form."""

from __future__ import annotations

import io
from base64 import b64encode
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.kernel.db import db
from marketplace.models.procurements import Registration
from marketplace.models.quotes import HolderKey, Quote
from marketplace.rules import opening_keys
from tests.builders import sign_in
from tests.marketplace.procurement_builders import DEADLINE
from tests.marketplace.quotes.builders import a_bidding, quoted, sealed_for, waiting


def as_person(app: Flask, actor: Any) -> FlaskClient:
    made = app.test_client()
    sign_in(made, actor)
    return made


def test_the_form_takes_what_the_browser_sealed(app: Flask, clock_at: Any) -> None:
    bidding = a_bidding(clock_at)
    agency = bidding.story.agencies[0]
    client = as_person(app, agency.actor)
    page = client.get(f"/procurements/{bidding.id}/quote").text
    assert f'data-key="{bidding.key.public_key.hex()}"' in page
    sent = sealed_for(bidding, agency, "100.00")
    form = {"commitment": sent.commitment, "sealed": b64encode(sent.sealed).decode(), "contribution": "a" * 64}
    answer = client.post(f"/procurements/{bidding.id}/quote", data=form)
    assert answer.status_code == 303
    assert db.session.query(Quote).one().sealed_in == "browser"
    assert db.session.query(Registration).one().contribution == "a" * 64
    assert client.post(f"/procurements/{bidding.id}/quote/withdraw").status_code == 303
    assert client.post(f"/procurements/{bidding.id}/quote/withdraw").status_code == 409


@pytest.mark.parametrize(
    "price", ["0", "-5", "1.234", "１２８０００", "190000.01", "1e5", "", "12 yuan", "99999999999999999"]
)
def test_a_bad_price_is_refused_and_never_shown_again(app: Flask, clock_at: Any, price: str) -> None:
    bidding = a_bidding(clock_at)
    client = as_person(app, bidding.story.agencies[0].actor)
    answer = client.post(f"/procurements/{bidding.id}/quote", data={"price": price, "contribution": "0" * 64})
    assert answer.status_code == 422
    assert (db.session.query(Quote).count(), db.session.query(Registration).count()) == (0, 0)
    assert price == "" or f'value="{price}"' not in answer.text


def test_without_javascript_the_server_seals_and_says_so(app: Flask, clock_at: Any) -> None:
    bidding = a_bidding(clock_at)
    client = as_person(app, bidding.story.agencies[0].actor)
    answer = client.post(f"/procurements/{bidding.id}/quote", data={"price": "123456.70", "contribution": "0" * 64})
    assert answer.status_code == 303
    page = client.get(f"/procurements/{bidding.id}/quote", headers={"Accept-Language": "en"}).text
    assert "123456.70" not in page
    assert db.session.query(Quote).one().sealed_in == "server"


def test_a_late_quote_gets_the_page_with_the_reason(app: Flask, clock_at: Any) -> None:
    bidding = quoted(a_bidding(clock_at), "100.00")
    agency = bidding.story.agencies[0]
    sent = sealed_for(bidding, agency, "90.00")
    clock_at(DEADLINE + timedelta(seconds=1))
    client = as_person(app, agency.actor)
    form = {"commitment": sent.commitment, "sealed": b64encode(sent.sealed).decode(), "contribution": "0" * 64}
    assert client.post(f"/procurements/{bidding.id}/quote", data=form).status_code == 409
    answer = client.post(
        f"/api/procurements/{bidding.id}/quotes",
        json={"commitment": sent.commitment, "sealed": b64encode(sent.sealed).decode()},
    )
    assert (answer.status_code, answer.get_json()["code"]) == (409, "quotes-ended")
    assert db.session.query(Quote).count() == 1


def test_shares_over_the_web(app: Flask, clock_at: Any) -> None:
    bidding = waiting(quoted(a_bidding(clock_at), "100.00", "110.00", "120.00"))
    story = bidding.story
    place = f"/procurements/{bidding.id}/opening"
    assert "data-give-share" not in app.test_client().get(place).text
    assert as_person(app, story.agencies[0].actor).post(place).status_code == 403
    owner = as_person(app, story.owner)
    assert "data-give-share" in owner.get(place).text
    assert owner.post(place, data={"code": "AAAA"}).status_code == 422
    row = bidding.key
    share = opening_keys.unseal_share(
        bidding.codes["owner"],
        row.code,
        "owner",
        bytes.fromhex(owner.get(place).text.split('data-shares="')[1].split('"')[0]),
    )
    assert owner.post(place, data={"share": share.hex()}).status_code == 303  # what the browser sends
    operator = as_person(app, story.operator)
    assert operator.post(f"/api/procurements/{bidding.id}/shares", json={}).get_json() == {"opened": True}
    table = app.test_client().get(f"/procurements/{bidding.id}/quotes/1.txt").text.splitlines()
    assert table[0] == "GMBID/1"
    assert len(table) == 7


def test_a_code_made_by_the_server_is_shown_once(app: Flask, clock_at: Any) -> None:
    bidding = a_bidding(clock_at)
    client = as_person(app, bidding.story.owner)
    made = client.post("/opening-code", data={})
    assert made.status_code == 201
    code = made.text.split('class="opening-code">')[1].split("<")[0]
    newest = db.session.query(HolderKey).order_by(HolderKey.made_at.desc(), HolderKey.id.desc()).first()
    assert newest is not None
    assert (opening_keys.public_key_of(code), newest.made_in) == (newest.public_key, "server")
    assert code not in client.get("/opening-code").text


def test_a_plan_is_sent_sealed(app: Flask, clock_at: Any) -> None:
    bidding = a_bidding(clock_at)
    agency = bidding.story.agencies[0]
    sent = sealed_for(bidding, agency, "100.00")
    form = {
        "commitment": sent.commitment,
        "sealed": b64encode(sent.sealed).decode(),
        "contribution": "0" * 64,
        "sealed_plan": (io.BytesIO(b"x" * 200), "plan.sealed"),
    }
    answer = as_person(app, agency.actor).post(f"/procurements/{bidding.id}/quote", data=form)
    assert answer.status_code == 422  # a bidding asks for no plan
    assert db.session.query(Quote).count() == 0
