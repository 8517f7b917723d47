"""The conformance probe on our simulator, on a broken one, and with a key that it must not use."""

import pytest
from flask import Flask

from payments.commands import payments_cli
from payments.gateways.probe import STEPS, Probe, run
from payments.simulator.application import Simulator
from payments.simulator.inprocess import InProcessHttp


def test_the_simulator_passes_every_step(simulator: Simulator) -> None:
    results = list(run(Probe("sk_test_of_the_tests", "http://127.0.0.1:8421", InProcessHttp(simulator))))
    assert [(r.step, r.found) for r in results if not r.passed] == []
    assert len(results) == len(STEPS)


def test_a_failed_step_says_what_to_do(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("payments.gateways.probe._key", lambda _probe: {})  # as if the address knew no keys
    results = {r.step: r for r in run(Probe("sk_test_of_the_tests", "http://127.0.0.1:8421", InProcessHttp(simulator)))}
    wrong = results["the same key makes one object"]
    assert (wrong.passed, wrong.found) == (False, "the same key made two objects")
    assert "charge twice" in wrong.advice


def test_a_live_key_is_refused_unless_it_is_meant(app: Flask) -> None:
    answer = app.test_cli_runner().invoke(payments_cli, ["probe", "--key", "sk_live_abc"])
    assert answer.exit_code == 1
    assert "--live" in answer.output


def test_where_nobody_answers_it_stops(app: Flask) -> None:
    answer = app.test_cli_runner().invoke(payments_cli, ["probe", "--base", "http://127.0.0.1:9", "--key", "sk_test_x"])
    assert answer.exit_code == 1
    assert "nobody answers" in answer.output
