"""The conformance probe on our simulator, on a broken one, and with a key that it must not use."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from werkzeug.test import Client

from payments.commands import payments_cli
from payments.gateways.probe import STEPS, Probe, run
from payments.gateways.probe_incoming import INCOMING
from payments.gateways.probe_outgoing import OUTGOING
from payments.simulator.application import Simulator
from payments.simulator.inprocess import InProcessHttp


def probe(simulator: Simulator) -> Probe:
    """A probe for which waiting is moving the simulator's clock."""
    control = Client(simulator)
    wait: Callable[[], Any] = partial(control.post, "/_sim/clock", json={"advance": 3})
    return Probe("sk_test_of_the_tests", "http://127.0.0.1:8421", InProcessHttp(simulator), wait)


def test_the_simulator_passes_every_step(simulator: Simulator) -> None:
    results = list(run(probe(simulator)))
    assert [(r.step, r.found) for r in results if not r.passed] == []
    assert len(results) == len(STEPS)


def test_a_failed_step_says_what_to_do(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("payments.gateways.probe_incoming.key_of", lambda _probe: {})  # as if no keys were known
    results = {r.step: r for r in run(probe(simulator), INCOMING)}
    wrong = results["the same key makes one object"]
    assert (wrong.passed, wrong.found) == (False, "the same key made two objects")
    assert "charge twice" in wrong.advice


BROKEN: tuple[tuple[str, Callable[[Any], Any], str, str], ...] = (
    ("/v1/transfers", lambda made: made | {"id": f"tr_{uuid4().hex}"}, "a transfer moves once for its key", "transferred twice"),
    ("/reversals", lambda made: made | {"id": f"trr_{uuid4().hex}"}, "a part is called back once for its key", "called it back twice"),
    ("/v1/payouts", lambda made: made | {"status": "in_transit"}, "a payout reaches the bank", "stays in_transit, expected paid"),
    ("/v1/refunds", lambda made: made | {"status": "succeeded"}, "a refund may wait and then succeed", "expected pending"),
    ("/v1/disputes", lambda made: made | {"status": "under_review"}, "evidence wins a dispute", "stays under_review, expected won"),
    ("/v1/accounts", lambda made: made | {"id": f"acct_{uuid4().hex}"}, "an agency's account opens once for its key", "two accounts"),
)  # fmt: skip


class Broken(InProcessHttp):
    """An address that answers wrongly about one kind of object."""

    def __init__(self, simulator: Simulator, path: str, spoil: Callable[[Any], Any]) -> None:
        super().__init__(simulator)
        self.path, self.spoil = path, spoil

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        text, status, headers = super().request(method, url, *args, **kwargs)
        answer = json.loads(text)
        if self.path in url and status == 200:
            text = json.dumps(self._spoilt(answer))
        return text, status, headers

    def _spoilt(self, answer: Any) -> Any:
        if answer.get("object") == "list":
            return answer
        return self.spoil(answer)


@pytest.mark.parametrize(("path", "spoil", "step", "told"), BROKEN, ids=[one[2] for one in BROKEN])
def test_a_wrong_answer_fails_its_step(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch, path: str, spoil: Callable[[Any], Any], step: str, told: str
) -> None:
    monkeypatch.setattr("payments.gateways.probing.MOST_LOOKS", 2)
    broken = probe(simulator)
    broken.http = Broken(simulator, path, spoil)
    result = {r.step: r for r in run(broken, OUTGOING)}[step]
    assert not result.passed
    assert told in result.found
    assert result.advice


def test_a_live_key_is_refused_unless_it_is_meant(app: Flask) -> None:
    answer = app.test_cli_runner().invoke(payments_cli, ["probe", "--key", "sk_live_abc"])
    assert answer.exit_code == 1
    assert "--live" in answer.output


def test_where_nobody_answers_it_stops(app: Flask) -> None:
    answer = app.test_cli_runner().invoke(payments_cli, ["probe", "--base", "http://127.0.0.1:9", "--key", "sk_test_x"])
    assert answer.exit_code == 1
    assert "nobody answers" in answer.output
