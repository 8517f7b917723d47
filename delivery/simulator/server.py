"""The simulator's HTTP side: the platform's two addresses, label links, health, and the operator's own routes."""

import json
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any, Final
from urllib.parse import urlsplit

from flask import Flask, Response, jsonify, request

from delivery.simulator import label
from delivery.simulator.clock import ClockMode
from delivery.simulator.faults import Fault
from delivery.simulator.platform import Platform
from delivery.simulator.pushes import Pusher
from delivery.simulator.scripts import Step
from delivery.simulator.store import FIRST_CUSTOMER, Customer, SimParcel
from delivery.simulator.world import World

WHOLE_CALL: Final = frozenset(
    {
        Fault.DROP_BEFORE, Fault.DROP_AFTER, Fault.TIMEOUT_BEFORE, Fault.TIMEOUT_AFTER, Fault.SLOW_DRIP, Fault.HTTP_500,
        Fault.HTTP_502, Fault.HTTP_503, Fault.HTTP_504, Fault.BLOCK_PAGE, Fault.TRUNCATED, Fault.EMPTY_BODY, Fault.BOM,
        Fault.GBK,
    }
)  # fmt: skip
PREFIX: Final = "/sim/ems/amp-prod-api/f/amp/api"
BLOCK_PAGE: Final = (
    "<html><body><h1>405</h1>很抱歉，由于您访问的URL有可能对网站造成安全威胁，您的访问被阻断。</body></html>"
)
LABEL_LIFE: Final = timedelta(minutes=10)
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
View = Callable[..., Any]


def create_simulator(world: World, pusher: Pusher, admin_token: str) -> Flask:
    """The WSGI application. `admin_token` opens `/__sim__`; nothing else there is open to anyone."""
    app = Flask("delivery.simulator", static_folder=None)
    platform = Platform(world, lambda number, token: f"{request.host_url}sim/ems/label/{number}.pdf?token={token}")

    @app.post(f"{PREFIX}/<any(open, test):environment>")
    def api(environment: str) -> Response:
        form = request.form.to_dict()
        rule = world.fault_of(api_code=form.get("apiCode", ""), sender_no=form.get("senderNo", ""), among=WHOLE_CALL)
        fault = rule.fault if rule else None
        if fault in (Fault.DROP_BEFORE, Fault.TIMEOUT_BEFORE):
            return _hang_up(rule.seconds if rule and fault is Fault.TIMEOUT_BEFORE else 0)
        if fault is Fault.BLOCK_PAGE:
            return Response(BLOCK_PAGE, 405, content_type="text/html; charset=utf-8")
        if fault and fault.startswith("http_"):
            status = int(fault.removeprefix("http_"))
            return Response(f"<html><body><h1>{status}</h1></body></html>", status, content_type="text/html")
        reply = platform.answer(environment, form)
        if fault in (Fault.DROP_AFTER, Fault.TIMEOUT_AFTER):
            return _hang_up(rule.seconds if rule and fault is Fault.TIMEOUT_AFTER else 0)
        return _sent(json.dumps(reply, ensure_ascii=False), fault)

    @app.get("/sim/ems/label/<waybill_no>.pdf")
    def label_file(waybill_no: str) -> Response:
        known = platform.label_tokens.get(request.args.get("token", ""))
        parcel = world.store.parcel(waybill_no)
        if known is None or parcel is None or known[0] != waybill_no or world.clock.now() - known[2] > LABEL_LIFE:
            return Response("not found or expired", 404)
        return Response(label.draw(waybill_no, parcel.body, known[1]), content_type="application/pdf")

    @app.post("/sim/ems/<any(counter, console):place>")
    def outside_the_wire(place: str) -> Any:
        """What people do elsewhere: lay parcels on the counter, enter the callback address in the platform's console."""
        body = request.get_json(silent=True) or {}
        customer = world.store.customer(str(body.get("senderNo", "")), str(body.get("environment", "open")))
        given = str(body.get("authorization", ""))
        if customer is None or not secrets.compare_digest(customer.authorization.encode(), given.encode()):
            return jsonify(error="unknown customer"), 403
        if place == "counter":
            return jsonify(taken=world.hand_in([str(number) for number in body.get("waybills", [])]))
        callback = str(body.get("callback", ""))
        if urlsplit(callback).hostname not in LOOPBACK:
            return jsonify(error="the callback of a simulator must be a loopback address"), 400
        store_callback(world, customer, callback)
        return jsonify(callback=callback)

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        return {"status": "ok", "service": "ems-simulator"}

    _admin_routes(app, world, pusher, admin_token)
    return app


def store_callback(world: World, customer: Customer, callback: str) -> None:
    """Write where a customer's pushes go."""
    world.store.keep_customer(replace(customer, callback=callback))


def _hang_up(seconds: float) -> Response:
    """Close the connection without an answer, after `seconds`: what the caller sees as a lost reply."""
    time.sleep(min(seconds, 120))
    connection = request.environ.get("werkzeug.socket")
    if isinstance(connection, socket.socket):
        connection.shutdown(socket.SHUT_RDWR)
    return Response(status=444)


def _sent(text: str, fault: Fault | None) -> Response:
    body = text.encode()
    match fault:
        case Fault.TRUNCATED:
            body = body[: len(body) // 2]
        case Fault.EMPTY_BODY:
            body = b""
        case Fault.BOM:
            body = b"\xef\xbb\xbf" + body
        case Fault.GBK:
            body = text.encode("gbk", errors="replace")
        case Fault.SLOW_DRIP:
            return Response(_drip(body), content_type="application/json;charset=UTF-8")
        case _:
            pass
    return Response(body, content_type="application/json;charset=UTF-8")


def _drip(body: bytes) -> Iterator[bytes]:
    for start in range(0, len(body), 16):
        time.sleep(0.2)
        yield body[start : start + 16]


# --- the operator's routes ---


def _admin_routes(app: Flask, world: World, pusher: Pusher, token: str) -> None:
    store = world.store

    def admin(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            given = request.headers.get("X-Sim-Token", "") or request.headers.get("Authorization", "").removeprefix(
                "Bearer "
            )
            if not secrets.compare_digest(given.encode(), token.encode()):
                return jsonify(error="X-Sim-Token is missing or wrong"), 401
            try:
                return view(*args, **kwargs)
            except (ValueError, TypeError, KeyError) as error:
                return jsonify(error=str(error)), 400

        return guarded

    def parcel_or_none(waybill_no: str) -> SimParcel | None:
        return store.parcel(waybill_no)

    @app.route("/__sim__/customers", methods=["GET", "POST"])
    @admin
    def customers() -> Any:
        if request.method == "POST":
            store.keep_customer(_customer(request.get_json(), store.customers()))
        return jsonify([_customer_json(each) for each in store.customers()])

    @app.get("/__sim__/orders")
    @admin
    def orders() -> Any:
        return jsonify([_parcel_json(each) for each in store.parcels()])

    @app.get("/__sim__/orders/<waybill_no>")
    @admin
    def order(waybill_no: str) -> Any:
        parcel = parcel_or_none(waybill_no)
        if parcel is None:
            return jsonify(error="no such order"), 404
        pushes = [push for push in store.pushes() if push["waybill_no"] == waybill_no]
        detail = {"events": store.events(waybill_no), "pushes": pushes, "calls": store.calls(waybill_no)}
        return jsonify(_parcel_json(parcel) | detail)

    @app.post("/__sim__/orders/<waybill_no>/<any(advance, event, scenario):what>")
    @admin
    def change(waybill_no: str, what: str) -> Any:
        parcel = parcel_or_none(waybill_no)
        if parcel is None:
            return jsonify(error="no such order"), 404
        body = request.get_json(silent=True) or {}
        match what:
            case "advance":
                for _ in range(int(body.get("steps", 1))):
                    current = store.parcel(waybill_no)
                    if current is None or not world.step(current, world.clock.now()):
                        break
            case "event":
                world.happen(parcel, *_event(body, world.clock.now()))
            case _:
                world.retell(parcel, str(body["scenario"]).removeprefix("#SIM:"))
        refreshed = store.parcel(waybill_no)
        assert refreshed is not None
        return jsonify(_parcel_json(refreshed) | {"events": store.events(waybill_no)})

    @app.post("/__sim__/counter")
    @admin
    def counter() -> Any:
        """Somebody lays these parcels on the counter; the courier's next step is to collect them."""
        return jsonify(taken=world.hand_in([str(number) for number in request.get_json()["waybills"]]))

    @app.route("/__sim__/clock", methods=["GET", "POST"])
    @admin
    def clock() -> Any:
        if request.method == "POST":
            _set_clock(world, request.get_json())
        state = world.clock.state()
        return jsonify(mode=state.mode, factor=state.factor, now=state.now.isoformat())

    @app.route("/__sim__/faults", methods=["GET", "POST", "DELETE"])
    @admin
    def faults() -> Any:
        if request.method == "DELETE":
            world.faults.clear()
        if request.method == "POST":
            return jsonify(world.add_fault(request.get_json()).to_json()), 201
        return jsonify([rule.to_json() for rule in world.faults])

    @app.get("/__sim__/pushes")
    @admin
    def pushes() -> Any:
        return jsonify(store.pushes())

    @app.post("/__sim__/pushes/<int:push_id>/replay")
    @admin
    def replay(push_id: int) -> Any:
        push = store.push(push_id)
        if push is None:
            return jsonify(error="no such push"), 404
        return jsonify(taken=pusher.send(push))

    @app.get("/__sim__/calls")
    @admin
    def calls() -> Any:
        return jsonify(store.calls())

    @app.post("/__sim__/reset")
    @admin
    def reset() -> Any:
        store.wipe()
        world.faults.clear()
        body = request.get_json(silent=True) or {}
        world.seed = int(body.get("seed", world.seed))
        return jsonify(seed=world.seed)


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
    import re

    found = re.fullmatch(r"(-?)P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", text)
    if not found or text.endswith(("P", "T")):
        raise ValueError(f"not a duration: {text}")
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups()[1:])
    length = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    return -length if found[1] else length
