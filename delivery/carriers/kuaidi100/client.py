"""kuaidi100 behind the `Carrier` port: it follows parcels and sends notices about them; it does nothing else."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl

import requests

from delivery.carriers.bare import BareCarrier
from delivery.carriers.kuaidi100 import mapping, signing
from delivery.ports import Capability, CarrierMessage, Push, PushRefused, Reply, Report, Verdict

log = logging.getLogger(__name__)

LIVE: Final = "https://poll.kuaidi100.com"
CAPABILITIES: Final = frozenset({Capability.TRACK, Capability.PUSH, Capability.SUBSCRIBE})
NOTHING_YET: Final = "500"
"""查询无结果: the number is not known, or has no entries yet."""
SUBSCRIBED_ALREADY: Final = "501"
BUSY: Final = frozenset({"501", "502"})
"""Of a query: server error, server busy."""
MAX_REPLY: Final = 1024 * 1024


class _Lost(Exception):
    """No answer that can be read."""

    def __init__(self, verdict: Verdict, kind: str) -> None:
        super().__init__(kind)
        self.verdict = verdict
        self.kind = kind
        log.warning("kuaidi100 call lost", extra={"verdict": verdict, "kind": kind})


@dataclass(frozen=True)
class Kuaidi100Settings:
    """One enterprise customer. `salt` signs the notices; `callback` is where they go."""

    customer: str
    key: str = field(repr=False)
    salt: str = field(default="", repr=False)
    callback: str = field(default="", repr=False)
    base_url: str = LIVE
    timeout: tuple[float, float] = (5.0, 15.0)


class Kuaidi100Carrier(BareCarrier):
    """The real aggregator, or a simulator on the same wire."""

    code = mapping.CARRIER
    capabilities = CAPABILITIES

    def __init__(self, settings: Kuaidi100Settings, session: requests.Session | None = None) -> None:
        self._settings = settings
        self._session = session or requests.Session()

    def track(self, waybill_no: str) -> Reply[tuple[Report, ...]]:
        form = mapping.query_form(waybill_no, self._settings.customer, self._settings.key)
        try:
            answer = self._post("/poll/query.do", form)
        except _Lost as lost:
            return Reply.failed(lost.verdict, lost.kind)
        code, text = str(answer.get("returnCode") or ""), str(answer.get("message") or "")
        if code == NOTHING_YET:
            return Reply.ok((), CarrierMessage(code, text))
        if code or str(answer.get("status")) != "200":
            return Reply.failed(Verdict.UNAVAILABLE if code in BUSY else Verdict.REFUSED, code or "no-status", text)
        try:
            return Reply.ok(mapping.reports(answer, waybill_no), CarrierMessage("200", text))
        except mapping.BadAnswer as error:
            return Reply.failed(Verdict.UNCERTAIN, "unreadable", str(error))

    def subscribe(self, waybill_no: str) -> Reply[None]:
        ours = self._settings
        form = mapping.subscription_form(waybill_no, ours.key, ours.callback, ours.salt)
        try:
            answer = self._post("/poll", form)
        except _Lost as lost:
            return Reply.failed(lost.verdict, lost.kind)
        code, text = str(answer.get("returnCode") or ""), str(answer.get("message") or "")
        if code in ("200", SUBSCRIBED_ALREADY):
            return Reply.ok(None, CarrierMessage(code, text))
        return Reply.failed(Verdict.UNAVAILABLE if code == NOTHING_YET else Verdict.REFUSED, code or "no-code", text)

    def open_push(self, body: bytes, content_type: str) -> Push:  # noqa: ARG002 - always a form
        """A notice is a form of `param` and `sign`; its newest entry is what it tells. Raises PushRefused."""
        try:
            form = dict(parse_qsl(body.decode("utf-8"), strict_parsing=True))
            param, sign = form["param"], form["sign"]
        except (ValueError, KeyError) as error:
            raise PushRefused("not a form of param and sign") from error
        if not signing.is_genuine(param, self._settings.salt, sign):
            raise PushRefused("the signature is not of our salt", sign[:32])
        try:
            last = json.loads(param)["lastResult"]
            told = mapping.reports(last, str(last["nu"]).strip())
        except (ValueError, KeyError, TypeError, mapping.BadAnswer) as error:
            raise PushRefused("no entries", sign[:32]) from error
        if not told:
            raise PushRefused("no entries", sign[:32])
        return Push(sign, told[-1].observation, "", told[-1].raw)

    def acknowledge(self, serial_no: str, *, taken: bool) -> Mapping[str, object]:  # noqa: ARG002 - it asks for no echo
        return {"result": taken, "returnCode": "200" if taken else "500", "message": "成功" if taken else "失败"}

    def _post(self, path: str, form: Mapping[str, str]) -> Mapping[str, object]:
        """The JSON object that came back. Raises _Lost. Texts of errors may quote the request, kinds do not."""
        try:
            response = self._session.post(
                self._settings.base_url + path, data=form, timeout=self._settings.timeout, allow_redirects=False
            )
        except requests.ConnectionError as error:
            raise _Lost(Verdict.UNAVAILABLE, type(error).__name__) from error
        except requests.RequestException as error:
            raise _Lost(Verdict.UNCERTAIN, type(error).__name__) from error
        if response.status_code != 200:
            raise _Lost(Verdict.UNAVAILABLE, f"http-{response.status_code}")
        try:
            answer = json.loads(response.content[:MAX_REPLY].decode("utf-8-sig"))
        except ValueError as error:
            raise _Lost(Verdict.UNCERTAIN, "unreadable") from error
        if not isinstance(answer, dict):
            raise _Lost(Verdict.UNCERTAIN, "unreadable")
        return answer
