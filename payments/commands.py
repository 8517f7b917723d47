"""flask payments: what an operator runs by hand."""

from typing import cast

import click
from flask import current_app
from flask.cli import AppGroup

from app.settings import Settings
from payments.gateways.probe import Probe, Result, run

payments_cli = AppGroup("payments", help="The payment counter.")


@payments_cli.command("probe")
@click.option("--base", help="Address of the Stripe API; the one of this installation without it.")
@click.option("--key", help="Secret key; the one of this installation without it.", envvar="STRIPE_PROBE_KEY")
@click.option("--live", is_flag=True, help="Yes, with a live key: real money moves.")
def probe(base: str | None, key: str | None, *, live: bool) -> None:
    """Run the conformance steps on a Stripe address and print what passed; exit with an error when one failed."""
    settings = cast("Settings", current_app.extensions["chaoshi_settings"])
    chosen = key or settings.stripe_secret_key
    if not chosen.startswith(("sk_test_", "rk_test_")) and not live:
        raise click.ClickException("this is no test key: the probe charges and refunds. Say --live if you mean it.")
    results = [_print(result) for result in run(Probe(chosen, base or settings.stripe_base_url))]
    failed = sum(not result.passed for result in results)
    click.echo(f"{len(results) - failed} passed, {failed} failed")
    if failed:
        raise click.ClickException("this address does not do all that the payment counter relies on")


def _print(result: Result) -> Result:
    mark = "passed" if result.passed else "FAILED"
    click.echo(f"{mark}  {result.step:46} {result.found}")
    if not result.passed:
        click.echo(f"        expected: {result.step}")
    if result.advice:
        click.echo(f"        -> {result.advice}")
    return result
