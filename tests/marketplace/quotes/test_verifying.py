"""Anybody can check an opening: the shipped script on the published table and a receipt, and the browser's module under Node."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from app.kernel import audit
from app.kernel.db import db
from marketplace.models.quotes import Quote
from marketplace.rules import opening_keys, sealed_quotes
from tests.builders import sign_in
from tests.marketplace.quotes.builders import a_bidding, opened, quoted, waiting

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = ROOT / "docs" / "verify_quotes.py"
MODULE = ROOT / "app" / "web" / "static" / "js" / "sealed-quotes.js"


def verified(*files: Path) -> tuple[int, str]:
    done = subprocess.run([sys.executable, str(SCRIPT), *map(str, files)], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def test_the_script_checks_table_and_receipt(app: Flask, clock_at: Any, tmp_path: Path) -> None:
    bidding = quoted(a_bidding(clock_at), "100.00", "110.50", "0.00")
    audit.sequence()
    client = app.test_client()
    sign_in(client, bidding.story.agencies[1].actor)
    mine = bidding.story.registration(bidding.story.agencies[1])
    quote = db.session.query(Quote).filter_by(registration_id=mine.id).one()
    answer = client.get(f"/quotes/{quote.id}/receipt.json")
    receipt = answer.get_json()
    assert receipt["log"]["index"] >= 0
    assert client.get(f"/quotes/{quote.id}/receipt.pdf").data.startswith(b"%PDF")
    opened(waiting(bidding))
    table, paper = tmp_path / "quotes.txt", tmp_path / "receipt.json"
    table.write_bytes(client.get(f"/procurements/{bidding.id}/quotes/1.txt").data)
    paper.write_bytes(answer.data)
    code, said = verified(table, paper)
    assert (code, said.count("commitment fits"), "log entry proven" in said) == (0, 3, True)
    table.write_text(table.read_text().replace(" 110.50 ", " 109.50 "))
    assert verified(table)[0] == 1
    receipt["event"]["body"] = receipt["event"]["body"].replace("registration", "registratiom")
    paper.write_text(json.dumps(receipt))
    assert "NOT PROVEN" in verified(table, paper)[1]


@pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed; the browser test runs the same module")
def test_the_browsers_module_and_the_server_understand_each_other() -> None:
    key = opening_keys.new_tender_key()
    private = opening_keys.join(key.public_key, tuple(key.shares.values())[1:])
    code = opening_keys.new_code()
    share = key.shares[opening_keys.Holder.OWNER]
    sealed_share = opening_keys.seal_share(opening_keys.public_key_of(code), "T-1", "owner", share)
    program = f"""
      const q = require({json.dumps(str(MODULE))});
      (async () => {{
        const made = await q.seal(q.unhex("{key.public_key.hex()}"), "T-1", "B1", "128000.00");
        const plan = await q.sealPlan("方案.pdf", new Uint8Array([1, 2, 3]));
        const fresh = await q.newCode();
        const opened = await q.openShare("{code.lower()}", "T-1", "owner", q.unhex("{sealed_share.hex()}"));
        console.log(JSON.stringify({{
          sealed: q.hex(made.sealed), nonce: made.nonce, commitment: made.commitment, plan: q.hex(plan.sealed), planKey: plan.key,
          fresh, freshKey: q.hex((await q.pairOf(fresh)).publicBytes), share: q.hex(opened),
          vector: await q.commitment("T-2026-0001", "91110000600030001W", "128000.00", "0".repeat(64)),
          mistyped: await q.pairOf("AAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA"),
          prices: ["1", "1.5", " 12.30 ", "１２", "-1", "1.234", "01", "1e3", ""].map(q.canonicalPrice),
        }}));
      }})();
    """
    told = json.loads(subprocess.run(["node", "-e", program], capture_output=True, text=True, check=True).stdout)
    bid = sealed_quotes.unseal(private, "T-1", "B1", bytes.fromhex(told["sealed"]))
    assert (bid.price, bid.nonce) == ("128000.00", told["nonce"])
    assert sealed_quotes.commitment("T-1", "B1", bid.price, bid.nonce) == told["commitment"]
    assert sealed_quotes.unseal_plan(bytes.fromhex(told["plan"]), told["planKey"]) == ("方案.pdf", b"\x01\x02\x03")
    assert opening_keys.public_key_of(told["fresh"]).hex() == told["freshKey"]
    assert told["share"] == share.hex()
    assert told["vector"] == "b71a846316923b3f490401f8101962ce41206fbaa7d90cb74885a8a37c93d6d0"
    assert told["mistyped"] is None
    assert told["prices"] == ["1.00", "1.50", "12.30", None, None, None, None, None, None]
