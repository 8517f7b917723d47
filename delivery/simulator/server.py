"""The simulator's HTTP side: the platform's two addresses, label links, health, and the operator's own routes.

Plain WSGI on Werkzeug: the simulator shares nothing with the application but the wire.
"""

import json
import re
import secrets
import socket
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from delivery.simulator import label
from delivery.simulator.aggregator import Aggregator
from delivery.simulator.clock import ClockMode
from delivery.simulator.faults import Fault, FaultRule
from delivery.simulator.platform import Platform
from delivery.simulator.pushes import Pusher
from delivery.simulator.scripts import Step
from delivery.simulator.store import FIRST_CUSTOMER, Customer, SimParcel
from delivery.simulator.world import World

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

WHOLE_CALL: Final = frozenset(
    {
        Fault.DROP_BEFORE, Fault.DROP_AFTER, Fault.TIMEOUT_BEFORE, Fault.TIMEOUT_AFTER, Fault.SLOW_DRIP, Fault.HTTP_500,
        Fault.HTTP_502, Fault.HTTP_503, Fault.HTTP_504, Fault.BLOCK_PAGE, Fault.TRUNCATED, Fault.EMPTY_BODY, Fault.BOM,
        Fault.GBK,
    }
)  # fmt: skip
BLOCK_PAGE: Final = (
    "<html><body><h1>405</h1>很抱歉，由于您访问的URL有可能对网站造成安全威胁，您的访问被阻断。</body></html>"
)
LABEL_LIFE: Final = timedelta(minutes=10)
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
LARGEST: Final = 4 * 1024 * 1024
ADMIN: Final = "/__sim__"
URLS: Final = Map(
    [
        Rule("/sim/ems/amp-prod-api/f/amp/api/<any(open, test):environment>", endpoint="api", methods=["POST"]),
        Rule("/sim/ems/label/<waybill_no>.pdf", endpoint="label_file", methods=["GET"]),
        Rule("/sim/ems/<any(counter, console):place>", endpoint="outside_the_wire", methods=["POST"]),
        Rule("/sim/kuaidi100/poll/query.do", endpoint="aggregator_query", methods=["POST"]),
        Rule("/sim/kuaidi100/poll", endpoint="aggregator_subscription", methods=["POST"]),
        Rule(f"{ADMIN}/gateway", endpoint="gateway", methods=["GET", "POST"]),
        Rule("/healthz", endpoint="healthz", methods=["GET"]),
        Rule(f"{ADMIN}/customers", endpoint="customers", methods=["GET", "POST"]),
        Rule(f"{ADMIN}/orders", endpoint="orders", methods=["GET"]),
        Rule(f"{ADMIN}/orders/<waybill_no>", endpoint="order", methods=["GET"]),
        Rule(f"{ADMIN}/orders/<waybill_no>/<any(advance, event, scenario):what>", endpoint="change", methods=["POST"]),
        Rule(f"{ADMIN}/counter", endpoint="counter", methods=["POST"]),
        Rule(f"{ADMIN}/clock", endpoint="clock", methods=["GET", "POST"]),
        Rule(f"{ADMIN}/faults", endpoint="faults", methods=["GET", "POST", "DELETE"]),
        Rule(f"{ADMIN}/pushes", endpoint="pushes", methods=["GET"]),
        Rule(f"{ADMIN}/pushes/<int:push_id>/replay", endpoint="replay", methods=["POST"]),
        Rule(f"{ADMIN}/calls", endpoint="calls", methods=["GET"]),
        Rule(f"{ADMIN}/reset", endpoint="reset", methods=["POST"]),
    ]
)


class LimitedRequest(Request):
    """A request of at most four mebibytes."""

    max_content_length = LARGEST


def jsonify(value: object, status: int = 200) -> Response:
    """A JSON answer."""
    return Response(json.dumps(value, ensure_ascii=False), status, content_type="application/json; charset=utf-8")


class SimulatorApp:
    """The WSGI application. `admin_token` opens `/__sim__`; nothing else there is open to anyone."""

    def __init__(self, world: World, pusher: Pusher, admin_token: str) -> None:
        self.world = world
        self.pusher = pusher
        self._token = admin_token.encode()
        self._platform = Platform(world)
        self.aggregator = Aggregator(world)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        request = LimitedRequest(environ)
        try:
            endpoint, values = URLS.bind_to_environ(environ).match()
            response = self._refused(request) or getattr(self, endpoint)(request, **values)
        except HTTPException as error:
            response = error.get_response(environ)
        except (ValueError, TypeError, KeyError) as error:
            response = jsonify({"error": str(error)}, 400)
        answer: Iterable[bytes] = response(environ, start_response)
        return answer

    def _refused(self, request: Request) -> Response | None:
        if not request.path.startswith(ADMIN):
            return None
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
        given = request.headers.get("X-Sim-Token", "") or bearer
        if self._token and secrets.compare_digest(given.encode(), self._token):
            return None
        return jsonify({"error": "X-Sim-Token is missing or wrong"}, 401)

    # --- the platform ---

    def api(self, request: Request, environment: str) -> Response:
        """One call of an interface, with whatever goes wrong around it."""
        form = request.form.to_dict()
        by_number = any(rule.waybill_no and rule.fault in WHOLE_CALL for rule in self.world.faults)
        waybill_no = self._platform.waybill_in(environment, form) if by_number else ""
        api_code, sender_no = form.get("apiCode", ""), form.get("senderNo", "")
        rule = self.world.fault_of(api_code=api_code, sender_no=sender_no, waybill_no=waybill_no, among=WHOLE_CALL)
        fault = rule.fault if rule else None
        if rule and fault in (Fault.DROP_BEFORE, Fault.TIMEOUT_BEFORE):
            return _hang_up(request, rule)
        if fault is Fault.BLOCK_PAGE:
            return Response(BLOCK_PAGE, 405, content_type="text/html; charset=utf-8")
        if fault and fault.startswith("http_"):
            status = int(fault.removeprefix("http_"))
            return Response(f"<html><body><h1>{status}</h1></body></html>", status, content_type="text/html")
        reply = self._platform.answer(environment, form, request.host_url)
        if rule and fault in (Fault.DROP_AFTER, Fault.TIMEOUT_AFTER):
            return _hang_up(request, rule)
        return _sent(json.dumps(reply, ensure_ascii=False), rule)

    def label_file(self, request: Request, waybill_no: str) -> Response:
        """A label by the link that 010004 gave; it ends after ten minutes."""
        known = self._platform.label_tokens.get(request.args.get("token", ""))
        parcel = self.world.store.parcel(waybill_no)
        too_late = known is not None and self.world.clock.now() - known[2] > LABEL_LIFE
        if known is None or parcel is None or known[0] != waybill_no or too_late:
            return Response("not found or expired", 404)
        return Response(label.draw(waybill_no, parcel.body, known[1]), content_type="application/pdf")

    def outside_the_wire(self, request: Request, place: str) -> Response:
        """What people do elsewhere: lay parcels on the counter, enter the callback address in the platform's console."""
        body = _json(request)
        customer = self.world.store.customer(str(body.get("senderNo", "")), str(body.get("environment", "open")))
        given = str(body.get("authorization", ""))
        if customer is None or not secrets.compare_digest(customer.authorization.encode(), given.encode()):
            return jsonify({"error": "unknown customer"}, 403)
        if place == "counter":
            return jsonify({"taken": self.world.hand_in([str(number) for number in body.get("waybills", [])])})
        callback = str(body.get("callback", ""))
        if urlsplit(callback).hostname not in LOOPBACK:
            return jsonify({"error": "the callback of a simulator must be a loopback address"}, 400)
        self.world.store.keep_customer(replace(customer, callback=callback))
        return jsonify({"callback": callback})

    def aggregator_query(self, request: Request) -> Response:
        """The second source is asked about a number."""
        return jsonify(self.aggregator.query(request.form.to_dict()))

    def aggregator_subscription(self, request: Request) -> Response:
        """The second source is to send notices about a number."""
        return jsonify(self.aggregator.subscribe(request.form.to_dict()))

    def gateway(self, request: Request) -> Response:
        """What is unknown of the real gateway: `{"skewLimit": "PT5M" or null, "badCredentials": "S00001"}`."""
        if request.method == "POST":
            body = _json(request)
            if "skewLimit" in body:
                self.world.gateway.skew_limit = duration(body["skewLimit"]) if body["skewLimit"] else None
            if "badCredentials" in body:
                self.world.gateway.bad_credentials = str(body["badCredentials"])
        limit = self.world.gateway.skew_limit
        return jsonify(
            {
                "skewLimit": limit.total_seconds() if limit else None,
                "badCredentials": self.world.gateway.bad_credentials,
            }
        )

    def healthz(self, request: Request) -> Response:  # noqa: ARG002 - every endpoint takes the request
        """Alive."""
        return jsonify({"status": "ok", "service": "ems-simulator"})

    # --- the operator's routes ---

    def customers(self, request: Request) -> Response:
        """Customers, without their secrets; POST adds or changes one."""
        store = self.world.store
        if request.method == "POST":
            store.keep_customer(_customer(_json(request), store.customers()))
        return jsonify([_customer_json(each) for each in store.customers()])

    def orders(self, request: Request) -> Response:  # noqa: ARG002
        """The newest orders."""
        return jsonify([_parcel_json(each) for each in self.world.store.parcels()])

    def order(self, request: Request, waybill_no: str) -> Response:  # noqa: ARG002
        """One order with its events, pushes and calls."""
        store = self.world.store
        parcel = store.parcel(waybill_no)
        if parcel is None:
            return jsonify({"error": "no such order"}, 404)
        pushes = [push for push in store.pushes() if push["waybill_no"] == waybill_no]
        detail = {"events": store.events(waybill_no), "pushes": pushes, "calls": store.calls(waybill_no)}
        return jsonify(_parcel_json(parcel) | detail)

    def change(self, request: Request, waybill_no: str, what: str) -> Response:
        """The next step, an event of one's choice, or another story."""
        store = self.world.store
        parcel = store.parcel(waybill_no)
        if parcel is None:
            return jsonify({"error": "no such order"}, 404)
        body = _json(request)
        match what:
            case "advance":
                self._advance(waybill_no, int(body.get("steps", 1)))
            case "event":
                self.world.happen(parcel, *_event(body, self.world.clock.now()))
            case _:
                self.world.retell(parcel, str(body["scenario"]).removeprefix("#SIM:"))
        refreshed = store.parcel(waybill_no)
        assert refreshed is not None
        return jsonify(_parcel_json(refreshed) | {"events": store.events(waybill_no)})

    def _advance(self, waybill_no: str, steps: int) -> None:
        for _ in range(min(steps, 100)):
            current = self.world.store.parcel(waybill_no)
            if current is None or not self.world.step(current, self.world.clock.now()):
                return

    def counter(self, request: Request) -> Response:
        """Somebody lays these parcels on the counter; the courier's next step is to collect them."""
        return jsonify({"taken": self.world.hand_in([str(number) for number in _json(request)["waybills"]])})

    def clock(self, request: Request) -> Response:
        """How time goes here."""
        if request.method == "POST":
            _set_clock(self.world, _json(request))
        state = self.world.clock.state()
        return jsonify({"mode": state.mode, "factor": state.factor, "now": state.now.isoformat()})

    def faults(self, request: Request) -> Response:
        """The fault rules; POST adds one, DELETE drops all."""
        if request.method == "DELETE":
            self.world.faults.clear()
        if request.method == "POST":
            return jsonify(self.world.add_fault(_json(request)).to_json(), 201)
        return jsonify([rule.to_json() for rule in self.world.faults])

    def pushes(self, request: Request) -> Response:  # noqa: ARG002
        """The newest pushes with what was answered."""
        return jsonify(self.world.store.pushes())

    def replay(self, request: Request, push_id: int) -> Response:  # noqa: ARG002
        """Send a push once more."""
        push = self.world.store.push(push_id)
        if push is None:
            return jsonify({"error": "no such push"}, 404)
        return jsonify({"taken": self.pusher.send(push)})

    def calls(self, request: Request) -> Response:  # noqa: ARG002
        """The newest calls, without their content."""
        return jsonify(self.world.store.calls())

    def reset(self, request: Request) -> Response:
        """Forget every order; customers stay."""
        self.world.store.wipe()
        self.world.faults.clear()
        self.world.seed = int(_json(request).get("seed", self.world.seed))
        return jsonify({"seed": self.world.seed})


def create_simulator(world: World, pusher: Pusher, admin_token: str) -> SimulatorApp:
    """The WSGI application of a simulated world."""
    return SimulatorApp(world, pusher, admin_token)


def _json(request: Request) -> dict[str, Any]:
    """The body as an object, empty without one. Raises ValueError."""
    text = request.get_data(as_text=True)
    body = json.loads(text) if text.strip() else {}
    if not isinstance(body, dict):
        raise TypeError("the body must be a JSON object")
    return body


def _hang_up(request: Request, rule: FaultRule) -> Response:
    """Close the connection without an answer: what the caller sees as a lost reply."""
    if rule.fault in (Fault.TIMEOUT_BEFORE, Fault.TIMEOUT_AFTER):
        time.sleep(min(rule.seconds, 120))
    connection = request.environ.get("werkzeug.socket")
    if isinstance(connection, socket.socket):
        connection.shutdown(socket.SHUT_RDWR)
    return Response(status=444)


def _sent(text: str, rule: FaultRule | None) -> Response:
    body = text.encode()
    match rule.fault if rule else None:
        case Fault.TRUNCATED:
            body = body[: len(body) // 2]
        case Fault.EMPTY_BODY:
            body = b""
        case Fault.BOM:
            body = b"\xef\xbb\xbf" + body
        case Fault.GBK:
            body = text.encode("gbk", errors="replace")
        case Fault.SLOW_DRIP if rule:
            return Response(_drip(body, rule.seconds), content_type="application/json;charset=UTF-8")
        case _:
            pass
    return Response(body, content_type="application/json;charset=UTF-8")


def _drip(body: bytes, seconds: float) -> Iterator[bytes]:
    """A few bytes at a time, over at most so many seconds: each piece comes before the reader loses patience."""
    pause = min(0.2, seconds / (len(body) / 16))
    for start in range(0, len(body), 16):
        time.sleep(pause)
        yield body[start : start + 16]


def _customer(record: dict[str, Any], known: list[Customer]) -> Customer:
    sender_no = str(record["senderNo"])
    environment = str(record.get("environment", "open"))
    old = next(
        (each for each in known if (each.sender_no, each.environment) == (sender_no, environment)), FIRST_CUSTOMER
    )
    return Customer(
        sender_no,
        environment,
        str(record.get("authorization", old.authorization)),
        str(record.get("signKey", old.sign_key)),
        str(record.get("callback", old.callback)),
        frozenset(record.get("apiCodes", old.api_codes)),
    )


def _customer_json(customer: Customer) -> dict[str, Any]:
    return {
        "senderNo": customer.sender_no, "environment": customer.environment, "callback": customer.callback,
        "apiCodes": sorted(customer.api_codes), "authorization": customer.authorization[:4] + "…", "signKey": "…",
    }  # fmt: skip


def _parcel_json(parcel: SimParcel) -> dict[str, Any]:
    last = parcel.script[parcel.position - 1].code if parcel.position else "CREATED"
    return {
        "waybillNo": parcel.waybill_no, "orderNo": parcel.order_no, "senderNo": parcel.sender_no,
        "environment": parcel.environment, "state": "801" if parcel.cancelled else last,
        "waitsForHandIn": parcel.waits_for_hand_in, "stepsLeft": len(parcel.script) - parcel.position,
        "nextAt": parcel.next_at.isoformat() if parcel.next_at else None,
    }  # fmt: skip


def _event(body: dict[str, Any], now: datetime) -> tuple[Step, datetime]:
    at = datetime.fromisoformat(str(body["at"])) if "at" in body else now
    step = Step(
        str(body["opCode"]), str(body.get("opName", "")), str(body.get("opDesc", "")), 0, str(body.get("opOrgName", "模拟揽投部")),
        deliver_code=str(body.get("deliverCode", "")), attempt_code=str(body.get("attemptDeliveryCode", "")),
    )  # fmt: skip
    return step, at.astimezone(UTC)


def _set_clock(world: World, body: dict[str, Any]) -> None:
    if "mode" in body:
        now = datetime.fromisoformat(body["now"]) if "now" in body else None
        world.clock.set(ClockMode(body["mode"]), factor=int(body["factor"]) if "factor" in body else None, now=now)
    if "advance" in body:
        world.clock.advance(duration(str(body["advance"])))
        world.tick()
    if "skew" in body:
        world.clock.skew(duration(str(body["skew"])))


def duration(text: str) -> timedelta:
    """An ISO 8601 duration of days, hours, minutes and seconds ("P1DT6H", "-PT5M"). Raises ValueError."""
    found = re.fullmatch(r"(-?)P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", text)
    if not found or text.endswith(("P", "T")):
        raise ValueError(f"not a duration: {text}")
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups()[1:])
    length = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    return -length if found[1] else length
