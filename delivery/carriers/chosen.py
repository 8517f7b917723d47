"""Which carrier this installation uses, and how patiently it is asked."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

import requests
from flask import Flask, current_app

from app.settings import Settings
from delivery.carriers.ems.client import CAPABILITIES, EmsCarrier, EmsSettings
from delivery.carriers.ems.codec import SignKey
from delivery.ports import Capability, Carrier, Reply, Verdict
from delivery.rules import Pace

_CARRIER = "delivery_carrier"
_PACE = "delivery_pace"
SIMULATOR_PATH = "/sim/ems/"
DEMONSTRATION_PACE = Pace(floor=timedelta(seconds=4), ceiling=timedelta(seconds=60))


class DemonstrationEms(EmsCarrier):
    """EMS as the simulator plays it. Two things that people do elsewhere are calls here: laying parcels on the counter
    and entering the callback address in the platform's console. Both go to the simulator's own addresses.
    """

    capabilities = CAPABILITIES | {Capability.HANDOVER_NOTICE}

    def announce_handover(self, waybill_nos: tuple[str, ...]) -> Reply[None]:
        return self._tell("counter", {"waybills": list(waybill_nos)})

    def register_callback(self, url: str) -> Reply[None]:
        """Enter where pushes go. Only loopback addresses are taken."""
        return self._tell("console", {"callback": url})

    def _tell(self, place: str, what: dict[str, object]) -> Reply[None]:
        origin = urlsplit(self._settings.base_url)
        who = {"senderNo": self._settings.sender_no, "authorization": self._settings.authorization}
        try:
            answer = self._session.post(
                f"{origin.scheme}://{origin.netloc}/sim/ems/{place}", json=who | what, timeout=5
            )
        except requests.RequestException as error:
            return Reply.failed(Verdict.UNAVAILABLE, type(error).__name__)
        return Reply.ok(None) if answer.ok else Reply.failed(Verdict.REFUSED, f"http-{answer.status_code}")


def init_app(app: Flask) -> None:
    """Build the carrier of the settings."""
    settings: Settings = app.extensions["chaoshi_settings"]
    app.extensions[_CARRIER] = ems_of(settings)
    app.extensions[_PACE] = DEMONSTRATION_PACE if SIMULATOR_PATH in settings.ems_base_url else Pace()


def ems_of(settings: Settings) -> EmsCarrier:
    """The EMS carrier of the settings; the demonstration's where they lead to the simulator."""
    ems = EmsSettings(
        settings.ems_base_url, settings.ems_sender_no, settings.ems_authorization, SignKey(settings.ems_sign_key)
    )
    if SIMULATOR_PATH in settings.ems_base_url:
        return DemonstrationEms(replace(ems, connect_timeout=2.0, read_timeout=10.0))
    return EmsCarrier(ems)


def carrier() -> Carrier:
    """The carrier of this installation."""
    found: Carrier = current_app.extensions[_CARRIER]
    return found


def pace() -> Pace:
    """How patiently it is asked."""
    found: Pace = current_app.extensions[_PACE]
    return found


@contextmanager
def using(other: Carrier) -> Iterator[None]:
    """Put another carrier in its place for a while: tests and demonstration data."""
    before = current_app.extensions[_CARRIER]
    current_app.extensions[_CARRIER] = other
    try:
        yield
    finally:
        current_app.extensions[_CARRIER] = before
