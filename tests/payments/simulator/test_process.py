"""The simulator as its own process: interlocks, sockets, and the adapter's deafness to proxies and netrc."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from payments.gateways.stripe import StripeGateway
from payments.ports import Unknown
from payments.simulator.interlocks import StartRefused, check_surroundings


@pytest.mark.parametrize(
    ("environ", "host"),
    [
        ({"CHAOSHI_ENV": "production"}, "127.0.0.1"),
        ({"STRIPE_SECRET_KEY": "sk_live_abc"}, "127.0.0.1"),
        ({"STRIPE_SECRET_KEY": "rk_live_abc"}, "127.0.0.1"),
        ({}, "0.0.0.0"),
        ({}, "192.168.1.5"),
    ],
)
def test_it_does_not_start_near_real_money_or_in_reach_of_others(environ: dict[str, str], host: str) -> None:
    with pytest.raises(StartRefused):
        check_surroundings(environ, host)


def test_it_starts_on_a_development_machine() -> None:
    check_surroundings({"STRIPE_SECRET_KEY": "sk_test_abc", "CHAOSHI_ENV": "development"}, "127.0.0.1")


@pytest.mark.parametrize("extra", [{"CHAOSHI_ENV": "production"}, {"STRIPE_SECRET_KEY": "sk_live_x"}])
def test_the_command_ends_with_2_and_touches_nothing(tmp_path: Path, extra: dict[str, str]) -> None:
    data = tmp_path / "sim"
    command = [sys.executable, "-m", "payments.simulator", "--port", "0", "--data", str(data)]
    ended = subprocess.run(
        command, env={**os.environ, **extra}, capture_output=True, text=True, check=False, timeout=60
    )
    assert ended.returncode == 2
    assert "payment simulator does not run" in ended.stderr
    assert not data.exists()


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "payments.simulator", "--port", str(port), "--data", str(tmp_path / "sim")],
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    for _ in range(200):
        try:
            requests.get(f"{url}/healthz", timeout=1).raise_for_status()
            break
        except requests.RequestException:
            time.sleep(0.1)
    yield url
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0


def test_the_adapter_over_http(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy variable or a netrc entry must not change where our money requests go, nor with which key."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login sk_live_wrong password x\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    gateway = StripeGateway("sk_test_http", address)
    assert gateway.balance_fen() == 0
    direct = requests.Session()
    direct.trust_env = False
    for fault in ("drop_after", "drop_before"):
        rule = {"path": "/v1/balance", "method": "GET", "fault": fault, "times": 2}
        assert direct.post(f"{address}/_sim/faults", json=rule, timeout=5).status_code == 200
        with pytest.raises(Unknown):
            gateway.balance_fen()
    assert gateway.balance_fen() == 0
    with pytest.raises(Unknown):
        StripeGateway("sk_test_http", "http://127.0.0.1:1").balance_fen()
