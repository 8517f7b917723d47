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
from delivery.carriers.kuaidi100.client import Kuaidi100Carrier, Kuaidi100Settings
from delivery.ports import Capability, Carrier, Reply, Verdict
from delivery.rules import Pace

_CARRIER = "delivery_carrier"
_SECOND = "delivery_second_source"
_PACE = "delivery_pace"
DEMONSTRATION_CUSTOMER = ("SIMCUSTOMER", "SIMKEY0000000001", "SIMSALT")
SIMULATOR_PATH = "/sim/ems/"
DEMONSTRATION_PACE = Pace(floor=timedelta(seconds=4), ceiling=timedelta(seconds=60))


class DemonstrationEms(EmsCarrier):
    """EMS as the simulator plays it. Two things that people do elsewhere are calls here: laying parcels on the counter
    and entering the callback address in the platform's console. Both go to the simulator's own addresses.
    """

    capabilities = CAPABILITIES | {Capability.HANDOVER_NOTICE}

    @property
    def aggregator_url(self) -> str:
        """Where the same simulator plays the aggregator."""
        origin = urlsplit(self._settings.base_url)
        return f"{origin.scheme}://{origin.netloc}/sim/kuaidi100"

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
    app.extensions[_SECOND] = second_of(settings, app.extensions[_CARRIER])
    app.extensions[_PACE] = DEMONSTRATION_PACE if SIMULATOR_PATH in settings.ems_base_url else Pace()


def ems_of(settings: Settings) -> EmsCarrier:
    """The EMS carrier of the settings; the demonstration's where they lead to the simulator."""
    ems = EmsSettings(
        settings.ems_base_url, settings.ems_sender_no, settings.ems_authorization, SignKey(settings.ems_sign_key),
        project_id=settings.ems_project_id,
    )  # fmt: skip
    if SIMULATOR_PATH in settings.ems_base_url:
        return DemonstrationEms(replace(ems, connect_timeout=2.0, read_timeout=10.0))
    return EmsCarrier(ems)


def second_of(settings: Settings, first: Carrier) -> Carrier | None:
    """The second source of tracking: the configured aggregator, the simulated one in the demonstration, or none."""
    callback = f"{settings.public_url}/delivery/notice/kuaidi100/{settings.ems_notice_segment}"
    if settings.kuaidi100_customer:
        return Kuaidi100Carrier(
            Kuaidi100Settings(
                settings.kuaidi100_customer, settings.kuaidi100_key, settings.kuaidi100_salt, callback,
                settings.kuaidi100_base_url,
            )
        )  # fmt: skip
    if isinstance(first, DemonstrationEms):
        return Kuaidi100Carrier(Kuaidi100Settings(*DEMONSTRATION_CUSTOMER, callback, first.aggregator_url, (2.0, 10.0)))
    return None


def second_source() -> Carrier | None:
    """The second source of tracking, where one is configured."""
    found: Carrier | None = current_app.extensions[_SECOND]
    return found


def carrier() -> Carrier:
    """The carrier of this installation."""
    found: Carrier = current_app.extensions[_CARRIER]
    return found


def is_demonstration() -> bool:
    """Whether the carriers of this installation are simulated."""
    return isinstance(carrier(), DemonstrationEms)


def pace() -> Pace:
    """How patiently it is asked."""
    found: Pace = current_app.extensions[_PACE]
    return found


@contextmanager
def using(other: Carrier, second: Carrier | None = None) -> Iterator[None]:
    """Put other carriers in their places for a while: tests and demonstration data."""
    before = current_app.extensions[_CARRIER], current_app.extensions[_SECOND]
    current_app.extensions[_CARRIER], current_app.extensions[_SECOND] = other, second
    try:
        yield
    finally:
        current_app.extensions[_CARRIER], current_app.extensions[_SECOND] = before
