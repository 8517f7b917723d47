"""The outgoing side of the gateway in use."""

from payments.gateways import gateway
from payments.gateways.stripe import StripeGateway
from payments.gateways.stripe_outgoing import StripeOutgoing
from payments.outgoing_ports import OutgoingGateway
from payments.ports import Refusal


def outgoing() -> OutgoingGateway:
    """What pays out and passes on disputes. Raises Refusal where the provider in use does neither."""
    here = gateway()
    if isinstance(here, StripeGateway):
        return StripeOutgoing(here.client)
    raise Refusal("this provider does not pay out")
