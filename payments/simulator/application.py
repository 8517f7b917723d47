"""The WSGI application: Stripe's API under ``/v1``, the cashier under ``/c``, controls under ``/_sim``, health."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response

from payments.simulator import api, cashier, control
from payments.simulator.backend import Backend
from payments.simulator.faults import ConnectionDropped
from payments.simulator.store import Store

_LARGEST_BODY = 1024 * 1024


class Simulator:
    """A simulated Stripe account as a WSGI callable."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request; a dropped connection closes the socket (or raises, where there is none)."""
        request = Request(environ)
        request.max_content_length = _LARGEST_BODY
        try:
            response = self._answer(request)
        except HTTPException as error:
            response = Response(error.description or "", error.code or 500, content_type="text/plain")
        except ConnectionDropped as drop:
            connection = environ.get("werkzeug.socket")
            if connection is None:
                raise
            time.sleep(drop.silence)
            connection.shutdown(socket.SHUT_RDWR)
            response = Response(status=502)
        return response(environ, start_response)

    def _answer(self, request: Request) -> Response:
        if request.path.startswith("/v1/"):
            return api.answer(self.backend, request)
        if request.path == "/healthz":
            return Response(json.dumps({"status": "ok", "simulator": "payments"}), content_type="application/json")
        if request.path.startswith("/_sim/"):
            return control.answer(self.backend, request)
        return cashier.answer(self.backend, request)


def open_simulator(data: Path | str, public_url: str = "http://127.0.0.1:8421") -> Simulator:
    """A simulator on the given directory, or wholly in memory for ``":memory:"``."""
    if str(data) == ":memory:":
        return Simulator(Backend(Store(":memory:"), public_url))
    directory = Path(data)
    directory.mkdir(parents=True, exist_ok=True)
    return Simulator(Backend(Store(directory / "payments-simulator.sqlite3"), public_url))
