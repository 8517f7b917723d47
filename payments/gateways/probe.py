"""Conformance steps against any Stripe address: does it do what our adapters rely on (PAYMENTS 0.4, 6.1)?

Run before an installation is switched to a new key or a new version of the package. It makes small objects of its own
(100 yuan), cancels or refunds what it can, and never touches existing ones.
"""

from collections.abc import Iterator, Sequence

import stripe

from payments.gateways.probe_incoming import INCOMING
from payments.gateways.probe_outgoing import OUTGOING
from payments.gateways.probing import Failed, Probe, Result, Step
from payments.ports import GatewayError, Unknown

__all__ = ["STEPS", "Probe", "Result", "run"]
STEPS: tuple[Step, ...] = (*INCOMING, *OUTGOING)


def run(probe: Probe, steps: Sequence[Step] = STEPS) -> Iterator[Result]:
    """Every step in order, each with its result; a failed one does not stop the others. Stops where nobody answers."""
    for name, step, advice in steps:
        try:
            yield Result(name, passed=True, found=step(probe), advice="")
        except stripe.APIConnectionError as failure:
            yield Result(name, passed=False, found=type(failure).__name__, advice="nobody answers at this address")
            return
        except Failed as failure:
            yield Result(name, passed=False, found=str(failure), advice=advice)
        except Unknown as failure:
            yield Result(name, passed=False, found=f"no clear answer: {failure}"[:160], advice=advice)
        except (stripe.StripeError, GatewayError, AttributeError, KeyError, TypeError, IndexError) as failure:
            yield Result(name, passed=False, found=f"{type(failure).__name__}: {failure}"[:160], advice=advice)
