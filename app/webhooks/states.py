"""A partner's address: when it is told, and when no more."""

from enum import StrEnum

from app.kernel.states import Machine, Transition
from app.kernel.words import N_


class Part(StrEnum):
    MEMBER = "member"
    SYSTEM = "system"


class EndpointState(StrEnum):
    ACTIVE = "active"
    PAUSED = "paused"
    REMOVED = "removed"


ENDPOINT = Machine(
    name="webhook_endpoint",
    states=EndpointState,
    initial=EndpointState.ACTIVE,
    transitions=(
        Transition("pause", (EndpointState.ACTIVE,), EndpointState.PAUSED, (Part.MEMBER,), N_("Pause the messages")),
        Transition("give_up", (EndpointState.ACTIVE,), EndpointState.PAUSED, (Part.SYSTEM,),
                   N_("Paused after days without an answer")),
        Transition("resume", (EndpointState.PAUSED,), EndpointState.ACTIVE, (Part.MEMBER,), N_("Send messages again"),
                   primary=True),
        Transition("remove", (EndpointState.ACTIVE, EndpointState.PAUSED), EndpointState.REMOVED, (Part.MEMBER,),
                   N_("Remove the address"), danger=True),
    ),
    labels={
        EndpointState.ACTIVE: N_("Messages are sent"), EndpointState.PAUSED: N_("Messages are paused"),
        EndpointState.REMOVED: N_("The address was removed"),
    },
    next_step={EndpointState.PAUSED: N_("Repair the receiver, send messages again, and replay what was held back.")},
)  # fmt: skip


class DeliveryState(StrEnum):
    """What has become of one message to one address. `HELD` while the address is paused."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"
    HELD = "held"


DELIVERY_LABELS = {
    DeliveryState.WAITING: N_("On its way to the receiver"), DeliveryState.DELIVERED: N_("Accepted by the receiver"),
    DeliveryState.FAILED: N_("Given up after all tries"), DeliveryState.HELD: N_("Held back while paused"),
}  # fmt: skip
