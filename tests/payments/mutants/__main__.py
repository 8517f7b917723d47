"""python -m tests.payments.mutants: break the money code on purpose, one way at a time; each break must fail a test.

Works on a copy of the tree. Prints which mutants live; exits 1 when one does. Run on demand: it takes minutes.
"""

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
TREE = ("app", "payments", "delivery", "marketplace", "approvals", "tests", "docs", "pyproject.toml")


@dataclass(frozen=True)
class Mutant:
    """`before` occurs in `file` and becomes `after`; `tests` are what should notice."""

    name: str
    file: str
    before: str
    after: str
    tests: str


SERVICES = "tests/payments/test_payment_services.py"
NETWORK = "tests/payments/test_bad_network.py"
OUTGOING = "tests/payments/test_outgoing.py"
PURE = "tests/payments/test_ledger.py tests/payments/test_observed.py tests/payments/test_rules.py"
MUTANTS = (
    Mutant("a refund without its key", "payments/services/refunds.py", ".refund(known.request, known.key)",
           ".refund(known.request, str(new_id()))", f"{SERVICES} -k two_persons"),
    Mutant("a session without its key", "payments/services/payments.py", "provider.start(known.request, known.key)",
           "provider.start(known.request, str(new_id()))", f"{NETWORK} -k lost_or_broken"),
    Mutant("an old request sent again", "payments/services/payments.py", "> rules.KEY_LIFETIME",
           "> rules.KEY_LIFETIME * 99", f"{SERVICES} -k never_arrived"),
    Mutant("postings may repeat", "payments/ledger.py", 'return f"{gateway}:{movement.ref}"',
           'import uuid\n    return f"{gateway}:{uuid.uuid4()}"', f"{SERVICES} -k books or posting"),
    Mutant("the fee is forgotten", "payments/gateways/stripe.py", "fee_fen=item.fee", "fee_fen=0",
           f"{SERVICES} -k held_for_the_agency"),
    Mutant("the escrow may be overdrawn", "payments/ledger.py", "return balance_fen < 0 if debit_side else balance_fen > 0",
           "return False", f"{PURE} {SERVICES} -k wrong_side or overdrawing"),
    Mutant("a wrong amount is credited", "payments/observed.py", "if fact.amount_fen != attempt.amount_fen:",
           "if fact.amount_fen > attempt.amount_fen:", f"{PURE} -k fit"),
    Mutant("a closed bill is credited", "payments/observed.py", "if not share.is_open:", "if False:",
           f"{PURE} -k fit"),
    Mutant("a success can be taken back", "payments/observed.py", "if attempt.state in _DONE:",
           "if attempt.state is PaymentState.SURPLUS:", f"{PURE} -k success"),
    Mutant("a second live attempt is started", "payments/services/payments.py", "    if live is not None:\n        return live\n",
           "", f"{SERVICES} -k double_click"),
    Mutant("a timeout is a failure", "payments/services/payments.py", 'except (Declined, Refusal) as refusal:\n        log.warning("the gateway refused an attempt"',
           'except (Declined, Refusal, Unknown) as refusal:\n        log.warning("the gateway refused an attempt"',
           f"{NETWORK} -k lost_or_broken"),
    Mutant("notices from the future", "payments/gateways/stripe.py", "if abs(now - datetime.fromtimestamp(signed_at, UTC)) >",
           "if (now - datetime.fromtimestamp(signed_at, UTC)) >", f"{SERVICES} -k forged"),
    Mutant("any signature will do", "payments/gateways/stripe.py", "if not any(_is_signed(text, header, secret) for secret in secrets):",
           "if not secrets:", f"{SERVICES} -k forged"),
    Mutant("one's own refund approved", "payments/services/refunds.py", "row.requested_by == actor.user_id:", "False:",
           f"{SERVICES} -k two_persons"),
    Mutant("released while a refund waits", "payments/services/held.py", "        raise refund_under_way()\n    if",
           "        pass\n    if", f"{SERVICES} -k two_persons"),
    Mutant("strangers may pay", "payments/policy.py",
           "    found = parts(actor, bill)\n    if not found:\n        raise NotFound\n", "    found = parts(actor, bill)\n",
           f"{SERVICES} -k strangers"),
    Mutant("the payee may pay", "payments/services/payments.py", "    if any(Part.PAYER not in parts_seen(actor, bill) for bill in bills):\n        raise NotAllowed\n    rules",
           "    rules", f"{SERVICES} -k strangers"),
    Mutant("courier money is held", "payments/ledger.py", "BillKind.COURIER_FEE: COURIER", "BillKind.COURIER_FEE: escrow(bill_id)",
           f"{PURE} -k statutory"),
    Mutant("half a fen is posted", "payments/ledger.py", "if any(type(entry.amount_fen) is not int for entry in self.entries):",
           "if False:", f"{PURE} -k whole_fen"),
    Mutant("one's own payout approved", "payments/services/payouts.py",
           "if actor.user_id in (row.requested_by, row.first_approved_by):", "if False:", f"{OUTGOING} -k two_persons"),
    Mutant("paid out while frozen", "payments/queries/agency_money.py",
           "return PayoutBlock.FROZEN if frozen_balance_fen(organisation_id) else None", "return None",
           f"{OUTGOING} -k blocks_payouts"),
    Mutant("a postponed payout keeps its key", "payments/services/payouts.py",
           "        row.attempt += 1\n        row.problem, row.check_at = problem, clock.now() + timedelta(hours=1)\n        move",
           "        row.problem, row.check_at = problem, clock.now() + timedelta(hours=1)\n        move",
           f"{OUTGOING} -k not_settled"),
)  # fmt: skip


def survives(mutant: Mutant, tree: Path) -> bool:
    """Tell whether the tests pass in spite of the mutant."""
    path = tree / mutant.file
    text = path.read_text()
    if text.count(mutant.before) != 1:
        raise SystemExit(f"{mutant.name}: its place is found {text.count(mutant.before)} times; repair the list")
    path.write_text(text.replace(mutant.before, mutant.after))
    files, _, wanted = mutant.tests.partition(" -k ")
    command = [sys.executable, "-m", "pytest", "-q", "-x", *files.split(), *(["-k", wanted] if wanted else [])]
    try:
        ended = subprocess.run(command, cwd=tree, capture_output=True, check=False, timeout=3600)
    finally:
        path.write_text(text)
    if ended.returncode not in {0, 1}:
        raise SystemExit(f"{mutant.name}: pytest could not run\n{ended.stdout.decode()[-2000:]}")
    return ended.returncode == 0


def main(names: list[str]) -> int:
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        for name in TREE:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, tree / name, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
            else:
                shutil.copy(source, tree / name)
        chosen = [m for m in MUTANTS if not names or any(n in m.name for n in names)]
        living = []
        for mutant in chosen:
            lives = survives(mutant, tree)
            print(f"{'LIVES ' if lives else 'caught'}  {mutant.name}", flush=True)
            living += [mutant.name] if lives else []
    print(f"{len(chosen) - len(living)} of {len(chosen)} caught")
    return 1 if living else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
