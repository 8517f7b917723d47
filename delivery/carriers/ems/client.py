"""The EMS open platform behind the `Carrier` port. HTTP only: what the JSON means is `mapping`, how it is sealed `codec`.

What a failed call proves decides its verdict. Nothing was sent: UNAVAILABLE. Sent and no readable answer: UNCERTAIN.
`B00001`: REFUSED. `S00001`, HTTP 5xx and block pages: UNCERTAIN, because a gateway may answer for a platform that worked.
"""

import base64
import binascii
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar
from urllib.parse import parse_qsl, urlsplit

import requests

from app.kernel import clock
from delivery.carriers.bare import BareCarrier
from delivery.carriers.ems import codec, mapping
from delivery.carriers.ems.errors import BadEnvelope, BadReply
from delivery.ports import (
    ActualFee,
    Booking,
    Capability,
    CarrierMessage,
    LabelSize,
    ParsedAddress,
    Party,
    Push,
    PushRefused,
    Reply,
    Report,
    Shipment,
    Verdict,
)

T = TypeVar("T")
log = logging.getLogger(__name__)

SUCCESS: Final = "00000"
SYSTEM_ERROR: Final = "S00001"
NO_INFORMATION: Final = (
    "无客户信息", "无查询信息", "查无", "不存在", "未查询到", "未找到", "无邮件信息",
)  # fmt: skip
CAPABILITIES: Final = frozenset(
    {
        Capability.BOOK, Capability.CHOSEN_DAY, Capability.CANCEL, Capability.LABEL, Capability.TRACK, Capability.PUSH, Capability.PICKUP_RANGE,
        Capability.REACHABILITY, Capability.ADDRESS_PARSE, Capability.FEE_ESTIMATE, Capability.FEE_ACTUAL,
    }
)  # fmt: skip
"""What is publicly known of the platform; everything else is answered NOT_OFFERED (EMS-PROTOCOL 0.3)."""
MAX_REPLY: Final = 4 * 1024 * 1024
PUSH_METHOD: Final = "040002"


@dataclass(frozen=True)
class EmsSettings:
    """One agreement customer in one environment. Authorisation and sign key differ between sandbox and production."""

    base_url: str
    sender_no: str
    authorization: str = field(repr=False)
    sign_key: codec.SignKey = field(repr=False)
    connect_timeout: float = 5.0
    read_timeout: float = 20.0
    product_code: str = "115104300000691"
    project_id: str = ""
    """The platform's mark of government mail, as agreed."""
    label_as_link: bool = False
    """Whether labels are asked for as an address instead of Base64."""


@dataclass(frozen=True)
class Envelope:
    """The platform's answer, before its body is understood."""

    ret_code: str
    ret_msg: str
    ret_body: object
    serial_no: str
    success: bool

    @property
    def is_ok(self) -> bool:
        """`00000`; some successful answers come with an empty code, so then the flag counts."""
        return self.ret_code == SUCCESS or (not self.ret_code and self.success)


def read_envelope(body: bytes) -> Envelope:
    """The JSON object of an answer, whatever its encoding. Raises BadReply."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = body.decode("gb18030", errors="replace")
    try:
        record = json.loads(text)
    except ValueError as error:
        raise BadReply("the answer is not JSON") from error
    if not isinstance(record, dict) or not {"retCode", "success"} & record.keys():
        raise BadReply("the answer is not an envelope")
    words = {name: str(record.get(name) or "") for name in ("retCode", "retMsg", "serialNo")}
    return Envelope(
        words["retCode"], words["retMsg"], record.get("retBody"), words["serialNo"], record.get("success") is True
    )


def session_to(url: str) -> requests.Session:
    """A session for one address, which reads this machine's proxy settings and certificates once and not at each call."""
    session = requests.Session()
    found = session.merge_environment_settings(url, {}, None, None, None)
    session.proxies, session.verify, session.trust_env = found["proxies"], found["verify"], False
    return session


class EmsCarrier(BareCarrier):
    """The real platform, or a simulator on the same wire."""

    code = mapping.CARRIER
    capabilities = CAPABILITIES

    def __init__(self, settings: EmsSettings, session: requests.Session | None = None) -> None:
        self._settings = settings
        self._session = session or session_to(settings.base_url)

    # --- the operations of the port ---

    def book(self, shipment: Shipment) -> Reply[Booking]:
        body = mapping.create_body(shipment, self._settings.sender_no, self._settings.project_id)
        return self._call("020003", body, lambda envelope: mapping.booking(envelope.ret_body))

    def cancel(self, order_no: str, waybill_no: str, reason: str) -> Reply[None]:
        return self._call("020006", mapping.cancel_body(order_no, waybill_no, reason), lambda _: None)

    def label(self, waybill_no: str, size: LabelSize) -> Reply[bytes]:
        body = mapping.label_body(waybill_no, size, as_link=self._settings.label_as_link)
        return self._call("010004", body, self._label_pdf)

    def track(self, waybill_no: str) -> Reply[tuple[Report, ...]]:
        reply = self._call(
            "040001", mapping.track_body(waybill_no), lambda envelope: mapping.reports(envelope.ret_body, waybill_no)
        )
        if reply.verdict is Verdict.REFUSED and any(words in reply.text for words in NO_INFORMATION):
            return Reply.ok((), *reply.messages)
        return reply

    def pickup_range(self, sender: Party) -> Reply[bool]:
        body = mapping.range_body(sender, self._settings.sender_no)
        return self._call("030005", body, lambda envelope: mapping.in_range(envelope.ret_body))

    def reachable(self, sender: Party, receiver: Party, weight_g: int) -> Reply[bool]:
        reply: Reply[bool] = self._call("060002", mapping.reach_body(sender, receiver, weight_g), lambda _: True)
        return Reply.ok(False, *reply.messages) if reply.verdict is Verdict.REFUSED else reply

    def estimate(self, sender: Party, receiver: Party, weight_g: int) -> Reply[int]:
        body = mapping.estimate_body(sender, receiver, weight_g, self._settings.product_code)
        return self._call("050005", body, lambda envelope: mapping.estimated_fen(envelope.ret_body))

    def actual_fee(self, order_no: str, waybill_no: str) -> Reply[ActualFee]:
        body = {"logisticsOrderNo": order_no, "waybillNo": waybill_no}
        return self._call("050001", body, lambda envelope: mapping.actual_fee(envelope.ret_body))

    def parse_address(self, text: str) -> Reply[tuple[ParsedAddress, ...]]:
        body = [{"wholeAddress": text}]
        return self._call("060001", body, lambda envelope: mapping.parsed_addresses(envelope.ret_body, text))

    # --- pushes ---

    def open_push(self, body: bytes, content_type: str) -> Push:
        record = _push_record(body, content_type)
        serial_no = str(record.get("serialNo") or "")
        try:
            return self._opened(record, serial_no)
        except (BadEnvelope, KeyError, ValueError) as error:
            raise PushRefused(str(error), serial_no) from error

    def _opened(self, record: Mapping[str, object], serial_no: str) -> Push:
        if record.get("method") != PUSH_METHOD:
            raise ValueError("not a tracking notice")
        event = json.loads(codec.open_push(str(record["logitcsInterface"]), self._settings.sign_key))
        if not isinstance(event, dict) or not all(isinstance(value, str | int | None) for value in event.values()):
            raise ValueError("not one event")
        waybill_no = str(event["waybillNo"]).strip()
        if not waybill_no or not event.get("opTime"):
            raise ValueError("an event without number or time")
        seen = mapping.observation(event, waybill_no)
        return Push(serial_no, seen, str(event.get("orderNo") or ""), event)

    def acknowledge(self, serial_no: str, *, taken: bool) -> Mapping[str, object]:
        code, message = (SUCCESS, "成功") if taken else (SYSTEM_ERROR, "接收失败")
        return {"serialNo": serial_no, "code": code, "codeMessage": message, "senderNo": self._settings.sender_no}

    # --- HTTP ---

    def _call(self, api_code: str, body: codec.Json, understand: Callable[[Envelope], T]) -> Reply[T]:
        answer: Envelope | Reply[T] = self._post(api_code, body)
        if isinstance(answer, Reply):
            return answer
        if not answer.is_ok:
            verdict = Verdict.UNCERTAIN if answer.ret_code == SYSTEM_ERROR else Verdict.REFUSED
            return Reply.failed(verdict, answer.ret_code or "B00001", answer.ret_msg, answer.serial_no)
        try:
            value = understand(answer)
        except BadReply as error:
            return Reply.failed(Verdict.UNCERTAIN, "unreadable", str(error), answer.serial_no)
        return Reply.ok(value, CarrierMessage(SUCCESS, answer.ret_msg, answer.serial_no))

    def _post(self, api_code: str, body: codec.Json) -> "Envelope | Reply[T]":
        fields = {
            "apiCode": api_code,
            "senderNo": self._settings.sender_no,
            "authorization": self._settings.authorization,
            "timeStamp": mapping.beijing(clock.now()),
            "msgType": "0",
            "version": "V1.0.0",
            "logitcsInterface": codec.seal(body, self._settings.sign_key),
        }
        timeout = (self._settings.connect_timeout, self._settings.read_timeout)
        try:
            response = self._session.post(self._settings.base_url, data=fields, timeout=timeout, allow_redirects=False)
            envelope = read_envelope(response.content[:MAX_REPLY]) if response.status_code == 200 else None
        except (requests.ConnectTimeout, requests.exceptions.InvalidURL) as error:
            return self._lost(api_code, Verdict.UNAVAILABLE, error)
        except requests.ConnectionError as error:
            refused = "NewConnectionError" in repr(error) or "NameResolutionError" in repr(error)
            if refused:
                return self._lost(api_code, Verdict.UNAVAILABLE, error, "connection-refused")
            return self._lost(api_code, Verdict.UNCERTAIN, error, "connection-lost")
        except (requests.RequestException, BadReply) as error:
            return self._lost(api_code, Verdict.UNCERTAIN, error)
        if envelope is None:
            return Reply.failed(Verdict.UNCERTAIN, f"http-{response.status_code}")
        log.info(
            "ems call", extra={"api_code": api_code, "ret_code": envelope.ret_code, "serial_no": envelope.serial_no}
        )
        return envelope

    @staticmethod
    def _lost(api_code: str, verdict: Verdict, error: Exception, kind: str = "") -> "Reply[T]":
        """The error's kind only: its text may quote the request."""
        kind = kind or type(error).__name__
        log.warning("ems call lost", extra={"api_code": api_code, "verdict": verdict, "kind": kind})
        return Reply.failed(verdict, kind)

    def _label_pdf(self, envelope: Envelope) -> bytes:
        """Base64 or the address of a PDF; an address counts only on the platform's own host."""
        text = str(envelope.ret_body or "").strip()
        if text.startswith(("http://", "https://")):
            pdf = self._fetch(text)
        else:
            try:
                pdf = base64.b64decode(text, validate=True)
            except (binascii.Error, ValueError) as error:
                raise BadReply("the label is not Base64") from error
        if not pdf.startswith(b"%PDF-"):
            raise BadReply("the label is not a PDF")
        return pdf

    def _fetch(self, url: str) -> bytes:
        ours = urlsplit(self._settings.base_url)
        theirs = urlsplit(url)
        if (theirs.scheme, theirs.netloc) != (ours.scheme, ours.netloc):
            raise BadReply("the label lies on another host")
        timeout = (self._settings.connect_timeout, self._settings.read_timeout)
        try:
            response = self._session.get(url, timeout=timeout, allow_redirects=False)
        except requests.RequestException as error:
            raise BadReply("the label could not be fetched") from error
        if response.status_code != 200:
            raise BadReply(f"the label's address answers {response.status_code}")
        return response.content[:MAX_REPLY]


def _push_record(body: bytes, content_type: str) -> Mapping[str, object]:
    """JSON as captured in the field, or a form, which another receiver expects. Raises PushRefused."""
    try:
        if "json" in content_type or body.lstrip()[:1] == b"{":
            record = json.loads(body.decode("utf-8-sig"))
        else:
            record = dict(parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=True))
    except ValueError as error:
        raise PushRefused("neither JSON nor a form") from error
    if not isinstance(record, dict) or isinstance(record, Sequence):
        raise PushRefused("not an object")
    return record
