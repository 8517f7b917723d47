"""Partners' own systems in the demonstration: told over loopback HTTP by the real sender, accepting, failing and gone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from app.demo.cashier import Quiet
from app.demo.people import Cast
from app.demo.simulation import Simulation
from app.kernel.access import Actor, Role
from app.kernel.db import db
from app.webhooks import services as webhooks
from app.webhooks.models import WebhookDelivery, WebhookEndpoint
from app.webhooks.states import DeliveryState, EndpointState

OF_BILLS = ("bill.opened", "bill.paid", "payment.succeeded", "payment.failed", "receipt.issued", "refund.succeeded")
OF_AGENCIES = ("bill.paid", "bill.released", "payout.paid", "payout.failed")
OF_ALL = ("refund.requested", "dispute.opened", "dispute.closed", "payout.failed")


@contextmanager
def receiver_open() -> Iterator[str]:
    """Run a receiver on a free loopback port for as long as the world is made; yields where it listens."""
    server = make_server("127.0.0.1", 0, _Receiver(), threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(timeout=10)
        server.server_close()


class _Receiver:
    """The payers' system never accepts its first receipt; the agency's is busy when it is first told; one is switched off."""

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._unreadable: str | None = None

    def __call__(self, environ: Any, start_response: Any) -> Any:
        return self._answer(Request(environ))(environ, start_response)

    def _answer(self, request: Request) -> Response:
        message = request.headers.get("webhook-id", "")
        is_new = message not in self._seen
        self._seen.add(message)
        kind = (request.get_json(silent=True) or {}).get("type")
        match request.path:
            case "/switched-off":
                return Response("此接收地址已停用", 410)
            case "/agency" if is_new:
                return Response("系统繁忙，请稍后重试", 503)
            case "/payers" if kind == "receipt.issued" and self._unreadable in (None, message):
                self._unreadable = message
                return Response('{"error":"字段 receipt_number 超长"}', 422)
        return Response("ok")


class Partners:
    """Subscriptions of a payer, an agency and the operator, with what was delivered, repeated, given up and held back."""

    def __init__(self, simulation: Simulation, cast: Cast, receiver: str) -> None:
        self.simulation, self.cast, self.receiver = simulation, cast, receiver

    def plan(self) -> None:
        """Payer and agency are told for two weeks, the operator's dashboard since a few days; one receiver is gone."""
        panel = self.cast.panel
        for days, actor, path, what, kinds in (
            (14, panel[Role.OWNER], "payers", "财务系统：账单与付款", OF_BILLS),
            (40, panel[Role.AGENCY], "agency", "业务管理系统：到账与提现", OF_AGENCIES),
            (13, panel[Role.OPERATOR], "switched-off", "原数据中台（已停用）", ("refund.requested",)),
            (10, panel[Role.OPERATOR], "operator", "资金监管大屏", OF_ALL),
        ):
            moment = self.simulation.end - timedelta(days=days, hours=8)
            self.simulation.plan(moment, lambda a=actor, p=path, w=what, k=kinds: self._subscribe(a, p, w, k))  # type: ignore[misc]

    def _subscribe(self, actor: Actor, path: str, what: str, kinds: tuple[str, ...]) -> None:
        webhooks.subscribe(actor, webhooks.Subscribe(f"{self.receiver}/{path}", what, kinds))

    def leave_open(self) -> None:
        """Somebody tries the address and has one message sent again."""
        owner = self.cast.panel[Role.OWNER]
        delivery = db.session.execute(
            sa.select(WebhookDelivery.id, WebhookDelivery.endpoint_id)
            .join(WebhookEndpoint, WebhookEndpoint.id == WebhookDelivery.endpoint_id)
            .where(WebhookEndpoint.organisation_id == owner.organisation_id,
                   WebhookEndpoint.state == EndpointState.ACTIVE,
                   WebhookDelivery.state == DeliveryState.DELIVERED)
            .order_by(WebhookDelivery.created_at.desc())
            .limit(1)
        ).first()  # fmt: skip
        if delivery is not None:
            webhooks.ping(owner, delivery.endpoint_id)
            webhooks.replay_one(owner, delivery.endpoint_id, delivery.id)
