"""Result notices with every published field, failed ones with their cause, and the letter that goes with them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from app.documents import issued_for
from app.kernel.commands import WithReason
from app.kernel.errors import NotFound
from marketplace.jobs import procurements as jobs
from marketplace.queries.results import ResultFilter, result_notice, results
from marketplace.services import awards
from tests.builders import sign_in
from tests.marketplace.procurement_builders import DEADLINE, a_story, awarded, published, ranked, registered


def test_a_result_has_every_published_field(app: Flask, clock_at: Any) -> None:
    story = ranked(a_story(clock_at))
    row = result_notice(story.id)
    assert (row.winner_name, row.credential) == (f"测绘机构{story.winner.uscc[12:17].lstrip('0')}", story.winner.uscc)
    assert (row.amount_fen, row.method, row.project_name) == (180_000_00, "random", "滨江新城一期")
    assert row.selected_at == story.procurement.selected_at
    assert results(ResultFilter(outcome="selected")).total == 1
    assert results(ResultFilter(outcome="failed")).total == 0
    text = app.test_client().get("/results.csv").get_data(as_text=True)
    for word in (story.winner.uscc, "180000.00", "滨江新城一期", "2026-11-19 17:00"):
        assert word in text
    page = app.test_client().get(f"/procurements/{story.id}/result")
    assert page.status_code == 200
    assert story.winner.uscc in page.get_data(as_text=True)


def test_before_the_publicity_there_is_no_result(app: Flask, clock_at: Any) -> None:
    story = published(a_story(clock_at))
    with pytest.raises(NotFound):
        result_notice(story.id)
    assert app.test_client().get(f"/procurements/{story.id}/result").status_code == 404


def test_a_failed_selection_is_published_with_its_cause(app: Flask, clock_at: Any) -> None:
    story = registered(a_story(clock_at), 2)
    clock_at(DEADLINE + timedelta(seconds=1))
    jobs.run_due()
    row = result_notice(story.id)
    assert (row.winner_name, row.failure_code, row.amount_fen) == ("", "pool_too_small", None)
    found = app.test_client().get("/api/results?outcome=failed").get_json()
    assert [(item["number"], item["failure_code"]) for item in found["items"]] == [(row.number, "pool_too_small")]


def test_a_letter_taken_back_is_void_and_stays_readable_for_the_owner(app: Flask, clock_at: Any) -> None:
    story = awarded(a_story(clock_at))
    winner = story.winner.actor
    paper = issued_for(f"procurement:{story.id}")[0]
    facts = dict(paper.facts)
    assert facts["Winning amount (yuan)"] == "180000.00"
    address = f"/procurements/{story.id}/award-letter"
    visitor = app.test_client()
    clients = {}
    for name, actor in (("owner", story.owner), ("winner", winner), ("other", story.agencies[0].actor)):
        clients[name] = app.test_client()
        sign_in(clients[name], actor)
    for name in ("owner", "winner"):
        answer = clients[name].get(address)
        assert (answer.status_code, answer.data[:5]) == (200, b"%PDF-")
    awards.strike_out_winner(story.operator, story.id, WithReason("资质证书已被注销"))
    assert "作废" in visitor.get(f"/check/{paper.code}").get_data(as_text=True)
    assert visitor.get(f"/api/check/{paper.code}").get_json()["genuine"] is False
    assert clients["owner"].get(f"{address}?number={paper.number}").status_code == 200
    assert clients["winner"].get(f"{address}?number={paper.number}").status_code == 404
    assert clients["owner"].get(address).status_code == 404
