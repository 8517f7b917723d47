"""The platform's side of the wire: gateway checks in their order, then one function per interface.

Every business answer is HTTP 200 with an envelope. The texts are ours; only the codes mean something.
"""

import base64
import json
import secrets
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from delivery.carriers.ems import codec
from delivery.carriers.ems.errors import BadEnvelope, BadSignature
from delivery.carriers.ems.mapping import beijing, from_beijing
from delivery.rules import masked_mobile, masked_name
from delivery.simulator import label
from delivery.simulator.addresses import take_apart
from delivery.simulator.faults import Fault, FaultRule
from delivery.simulator.store import Customer, SimCall, SimParcel
from delivery.simulator.world import World

OK: Final = "00000"
BUSINESS: Final = "B00001"
SYSTEM: Final = "S00001"
ARRAYS: Final = frozenset({"020003", "060001"})
EITHER: Final = frozenset({"020006"})
REQUIRED: Final = ("apiCode", "senderNo", "authorization", "timeStamp", "logitcsInterface")
ORDER_REQUIRED: Final = (
    "createdTime", "ecommerceUserId", "logisticsOrderNo", "contentsAttribute", "bizProductNo", "sender", "receiver", "cargos",
)  # fmt: skip
PARTY_REQUIRED: Final = ("name", "mobile", "prov", "city", "county", "address")
UNREACHABLE: Final = "#SIM:UNREACHABLE"
HERE: Final = frozenset(
    {
        Fault.EMPTY_RET_CODE, Fault.RET_BODY_OBJECT, Fault.RET_BODY_LIST, Fault.SYSTEM_ERROR, Fault.RATE_LIMIT,
        Fault.DUPLICATE_SAME, Fault.DUPLICATE_REFUSED, Fault.DUPLICATE_SECOND, Fault.NO_WAYBILL, Fault.NO_ROUTE,
        Fault.COMMA_NUMBERS, Fault.LABEL_NOT_FOUND, Fault.LABEL_EXPIRED, Fault.LABEL_NOT_PDF, Fault.LABEL_EMPTY, Fault.LABEL_NOT_READY,
        Fault.TRACK_EMPTY, Fault.TRACK_NO_INFORMATION, Fault.TRACK_SHUFFLED, Fault.TRACK_NO_OFFICE,
        Fault.TRACK_UNKNOWN_CODE, Fault.TRACK_SAME_SECOND, Fault.TRACK_LATE_FIRST, Fault.TRACK_EXTRA_FIELDS,
    }
)  # fmt: skip
"""Faults inside the answer. Those of the whole call are the server's."""


class Rejected(Exception):
    """A business or gateway refusal."""

    def __init__(self, text: str, code: str = BUSINESS) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


@dataclass(frozen=True)
class Call:
    """One understood request."""

    api_code: str
    customer: Customer
    body: Any
    fault: FaultRule | None
    host_url: str = ""

    @property
    def broken(self) -> Fault | None:
        return self.fault.fault if self.fault else None


class Platform:
    """Answers forms with envelopes."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._store = world.store
        self.label_tokens: dict[str, tuple[str, str, datetime]] = {}
        self._interfaces: Mapping[str, Callable[[Call], object]] = {
            "020003": self._create, "020006": self._cancel, "010004": self._label, "030005": self._pickup_range,
            "040001": self._track, "050001": self._actual_fee, "050005": self._estimate, "060001": self._parse,
            "060002": self._reachable,
        }  # fmt: skip

    def answer(self, environment: str, form: Mapping[str, str], host_url: str) -> dict[str, object]:
        """The envelope for one form; logs the call without its content. `host_url` begins the links to labels."""
        waybill_no, fault, asked = "", None, ""
        try:
            call = replace(self._understand(environment, form), host_url=host_url)
            waybill_no, asked = _waybill_of(call.body), _masked(call.body)
            fault = call.broken
            body = self._interfaces[call.api_code](call)
            text = "无邮件信息" if fault is Fault.TRACK_EMPTY else _success_text(call.api_code)
            reply = self._envelope(OK, text, body)
            if fault is Fault.EMPTY_RET_CODE:
                reply["retCode"] = ""
        except Rejected as refusal:
            reply = self._envelope(refusal.code, refusal.text, "")
        api_code, sender_no, code = form.get("apiCode", ""), form.get("senderNo", ""), str(reply["retCode"])
        self._store.log_call(
            SimCall(self._world.clock.now(), api_code, sender_no, waybill_no, code, fault or "", asked)
        )
        return reply

    def _envelope(self, code: str, text: str, body: object) -> dict[str, object]:
        return {
            "serialNo": str(uuid.uuid4()),
            "retCode": code,
            "retMsg": text,
            "retBody": body,
            "retDate": beijing(self._world.clock.now()),
            "success": code == OK,
        }

    # --- gateway checks, in the platform's order ---

    def _understand(self, environment: str, form: Mapping[str, str]) -> Call:
        missing = [name for name in REQUIRED if not form.get(name)]
        if missing:
            raise Rejected(f"缺少参数 {missing[0]}")
        api_code = form["apiCode"]
        if api_code not in self._interfaces:
            raise Rejected("接口代码不存在")
        customer = self._store.customer(form["senderNo"], environment)
        if customer is None or not secrets.compare_digest(
            customer.authorization.encode(), form["authorization"].encode()
        ):
            raise Rejected("客户号或授权码错误", self._world.gateway.bad_credentials)
        if customer.api_codes and api_code not in customer.api_codes:
            raise Rejected("接口未授权")
        self._check_time(form["timeStamp"])
        body = _opened(form["logitcsInterface"], customer)
        if api_code in EITHER and isinstance(body, list) and len(body) == 1:
            body = body[0]
        if isinstance(body, list) != (api_code in ARRAYS) or not isinstance(body, dict | list):
            raise Rejected("报文结构错误")
        return self._with_luck(Call(api_code, customer, body, None))

    def _check_time(self, text: str) -> None:
        try:
            told = from_beijing(text)
        except ValueError:
            raise Rejected("时间戳格式错误") from None
        limit = self._world.gateway.skew_limit
        if limit is not None and abs(self._world.clock.now() - told) > limit:
            raise Rejected("时间戳超出允许范围")

    def waybill_in(self, environment: str, form: Mapping[str, str]) -> str:
        """The number that a form is about, for faults that match one; empty where it cannot be read."""
        customer = self._store.customer(form.get("senderNo", ""), environment)
        try:
            return _waybill_of(_opened(form.get("logitcsInterface", ""), customer)) if customer else ""
        except Rejected:
            return ""

    def _with_luck(self, call: Call) -> Call:
        fault = self._world.fault_of(
            api_code=call.api_code, sender_no=call.customer.sender_no, waybill_no=_waybill_of(call.body), among=HERE
        )
        if fault and fault.fault is Fault.SYSTEM_ERROR:
            raise Rejected("系统异常", SYSTEM)
        if fault and fault.fault is Fault.RATE_LIMIT:
            raise Rejected("访问频率超限，请稍后再试")
        return Call(call.api_code, call.customer, call.body, fault)

    def _known(self, call: Call) -> SimParcel:
        parcel = self._store.parcel(_waybill_of(call.body))
        if parcel is None or parcel.sender_no != call.customer.sender_no:
            raise Rejected("运单不存在")
        return parcel

    # --- interfaces ---

    def _create(self, call: Call) -> object:
        if len(call.body) != 1 or not isinstance(call.body[0], dict):
            raise Rejected("一次只能提交一个订单")
        order = call.body[0]
        _check_order(order)
        known = [
            p
            for p in self._store.parcels_of_order(call.customer.sender_no, str(order["logisticsOrderNo"]))
            if not p.cancelled
        ]
        if known and call.broken is Fault.DUPLICATE_REFUSED:
            raise Rejected("订单号重复")
        second = call.broken is Fault.DUPLICATE_SECOND
        parcel = known[0] if known and not second else self._world.accept(call.customer, order)
        numbers = parcel.waybill_no
        if call.broken is Fault.COMMA_NUMBERS:
            numbers += "," + self._world.accept(call.customer, order).waybill_no
        return _shaped(_booked(parcel, numbers, call.broken), call.broken)

    def _cancel(self, call: Call) -> object:
        parcel = self._known(call)
        if str(call.body.get("logisticsOrderNo", "")) != parcel.order_no:
            raise Rejected("订单号与运单号不符")
        if not call.body.get("cancelReason"):
            raise Rejected("缺少撤单原因")
        if not parcel.cancelled and not self._world.cancel(parcel):
            raise Rejected("邮件已收寄，不能撤单")
        return ""

    def _label(self, call: Call) -> object:
        parcel = self._known(call)
        label_type = str(call.body.get("type", ""))
        if parcel.cancelled:
            raise Rejected("订单已撤销")
        if label_type not in label.SIZES:
            raise Rejected("面单类型错误")
        match call.broken:
            case Fault.LABEL_NOT_READY:
                raise Rejected("面单生成中")
            case Fault.LABEL_EMPTY:
                return ""
            case Fault.LABEL_NOT_PDF:
                return base64.b64encode(b"<html>error</html>").decode()
            case _:
                pass
        if str(call.body.get("getURL", "")) == "1":
            return self._label_link(call.host_url, parcel.waybill_no, label_type, call.broken)
        return base64.b64encode(label.draw(parcel.waybill_no, parcel.body, label_type)).decode()

    def _label_link(self, host_url: str, waybill_no: str, label_type: str, broken: Fault | None) -> str:
        token = secrets.token_urlsafe(16)
        made = self._world.clock.now() - (timedelta(days=1) if broken is Fault.LABEL_EXPIRED else timedelta())
        if broken is not Fault.LABEL_NOT_FOUND:
            self.label_tokens[token] = (waybill_no, label_type, made)
        return f"{host_url}sim/ems/label/{waybill_no}.pdf?token={token}"

    def _track(self, call: Call) -> object:
        parcel = self._known(call)
        if call.broken is Fault.TRACK_NO_INFORMATION:
            raise Rejected("无邮件信息")
        items = [] if call.broken is Fault.TRACK_EMPTY else self._store.events(parcel.waybill_no)
        return _shaped({"responseItems": _mangled(items, call.broken)}, call.broken)

    def _pickup_range(self, call: Call) -> object:
        _need(call.body, ("address", "prov", "city", "county", "bizProductNo", "type"))
        out = UNREACHABLE in str(call.body["address"])
        return _shaped({"status": "1" if out else "0"}, call.broken)

    def _reachable(self, call: Call) -> object:
        places = [f"{side}{part}" for side in ("receiver", "sender") for part in ("Prov", "City", "County", "Address")]
        _need(call.body, tuple(places))
        if UNREACHABLE in str(call.body["receiverAddress"]):
            raise Rejected("该地址信息不可达！")
        return ""

    def _estimate(self, call: Call) -> object:
        _need(call.body, ("weight", "senderInfo", "receiveInfo"))
        fee = _fee(str(call.body["senderInfo"])[:3] == str(call.body["receiveInfo"])[:3], int(call.body["weight"]))
        return _shaped({"totalFee": fee, "realFee": fee, "standardFee": fee}, call.broken)

    def _actual_fee(self, call: Call) -> object:
        parcel = self._known(call)
        if not any(item["opCode"] == "203" for item in self._store.events(parcel.waybill_no)):
            raise Rejected("尚未收寄")
        near = parcel.body["sender"]["prov"] == parcel.body["receiver"]["prov"]
        weight = int(str(parcel.body.get("weight", "120")) or "120")
        return _shaped({"postageTotal": _fee(near, weight), "realWeight": str(weight)}, call.broken)

    def _parse(self, call: Call) -> object:
        texts = [str(item.get("wholeAddress", "")) for item in call.body if isinstance(item, dict)]
        return _shaped([take_apart(text) for text in texts], call.broken)


# --- what the interfaces share ---


def _opened(sealed: str, customer: Customer) -> Any:
    try:
        text = codec.open_request(sealed, codec.SignKey(customer.sign_key))
    except BadEnvelope:
        raise Rejected("解密失败") from None
    except BadSignature:
        raise Rejected("签名错误") from None
    try:
        return json.loads(text)
    except ValueError:
        raise Rejected("报文不是JSON") from None


def _need(record: Mapping[str, Any], names: tuple[str, ...]) -> None:
    missing = [name for name in names if record.get(name) in (None, "", [])]
    if missing:
        raise Rejected(f"缺少字段 {missing[0]}")


def _check_order(order: dict[str, Any]) -> None:
    _need(order, ORDER_REQUIRED)
    for side in ("sender", "receiver"):
        if not isinstance(order[side], dict):
            raise Rejected(f"{side} 格式错误")
        _need(order[side], PARTY_REQUIRED)
    if not isinstance(order["cargos"], list) or not all(
        isinstance(cargo, dict) and cargo.get("cargoName") for cargo in order["cargos"]
    ):
        raise Rejected("缺少字段 cargoName")
    try:
        from_beijing(str(order["createdTime"]))
    except ValueError:
        raise Rejected("createdTime 格式错误") from None
    if order["contentsAttribute"] not in ("1", "2", "3", "4"):
        raise Rejected("contentsAttribute 取值错误")


def _booked(parcel: SimParcel, numbers: str, broken: Fault | None) -> dict[str, str]:
    booked = {"logisticsOrderNo": parcel.order_no}
    if broken is not Fault.NO_WAYBILL:
        booked["waybillNo"] = numbers
    if broken is not Fault.NO_ROUTE:
        city = str(parcel.body["receiver"]["city"])
        booked |= {
            "routeCode": "380D-56-04-17", "packageCode": "31000100", "packageCodeName": f"{city}集",
            "markDestinationCode": "310001", "markDestinationName": city.removesuffix("市"),
        }  # fmt: skip
    return booked


def _shaped(value: object, broken: Fault | None) -> object:
    """`retBody` is JSON text, unless a fault makes it an object or a list."""
    match broken:
        case Fault.RET_BODY_OBJECT:
            return value
        case Fault.RET_BODY_LIST:
            return [value]
        case _:
            return json.dumps(value, ensure_ascii=False)


def _mangled(items: list[dict[str, Any]], broken: Fault | None) -> list[dict[str, Any]]:
    match broken:
        case Fault.TRACK_SHUFFLED:
            return items[::-1]
        case Fault.TRACK_NO_OFFICE:
            return [{name: value for name, value in item.items() if name != "opOrgName"} for item in items]
        case Fault.TRACK_UNKNOWN_CODE:
            return [*items, {**items[-1], "opCode": "ZZ9", "opName": "未登记的环节"}] if items else items
        case Fault.TRACK_SAME_SECOND:
            return [{**item, "opTime": items[-1]["opTime"]} for item in items]
        case Fault.TRACK_LATE_FIRST:
            return items[1:]
        case Fault.TRACK_EXTRA_FIELDS:
            return [{**item, "newField": {"a": [1, 2]}} for item in items]
        case _:
            return items


def _fee(near: bool, weight_g: int) -> str:
    first, more = (12, 2) if near else (20, 6)
    return f"{first + more * max(0, -(-(weight_g - 500) // 500)):.2f}"


_HIDDEN: Final = frozenset(
    {"address", "wholeAddress", "receiverAddress", "senderAddress", "senderInfo", "receiveInfo", "receiverSafetyCode"}
)


def _masked(body: Any) -> str:
    """A request as the operator may read it: names and telephones masked, addresses and codes left out."""
    return json.dumps(_without_persons(body), ensure_ascii=False)


def _without_persons(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_persons(each) for each in value]
    if not isinstance(value, dict):
        return value
    hide = {"name": masked_name, "mobile": masked_mobile} | dict.fromkeys(_HIDDEN, lambda _text: "***")
    return {key: hide[key](str(each)) if key in hide else _without_persons(each) for key, each in value.items()}


def _waybill_of(body: Any) -> str:
    return str(body.get("waybillNo", "")).strip() if isinstance(body, dict) else ""


def _success_text(api_code: str) -> str:
    return {"040001": "查询结果正常返回！", "060002": "该地址信息可达！"}.get(api_code, "成功")
