"""Webhook endpoints: where events are sent, each signed with the endpoint's own secret."""

from __future__ import annotations

from payments.simulator.backend import Backend
from payments.simulator.errors import invalid
from payments.simulator.routing import Route, fetch, lister, reader
from payments.simulator.words import Json, new_id, token


def create(backend: Backend, values: Json) -> Json:
    """``POST /v1/webhook_endpoints``; the secret is shown in this one answer only."""
    if not values["url"].startswith(("http://", "https://")):
        raise invalid(
            "Invalid URL: An explicit scheme (such as https) must be provided.", param="url", code="url_invalid"
        )
    endpoint = backend.store.add(
        {
            "id": new_id("webhook_endpoint"),
            "object": "webhook_endpoint",
            "api_version": values.get("api_version"),
            "application": None,
            "created": backend.now(),
            "description": values.get("description"),
            "enabled_events": values["enabled_events"],
            "livemode": False,
            "metadata": values.get("metadata") or {},
            "status": "enabled",
            "url": values["url"],
            "_connect": bool(values.get("connect")),
            "_secret": f"whsec_{token(32)}",
        }
    )
    return {**endpoint, "secret": endpoint["_secret"]}


def update(backend: Backend, values: Json, object_id: str) -> Json:
    """``POST /v1/webhook_endpoints/<id>``."""
    endpoint = fetch(backend, "webhook_endpoint", object_id)
    changed = {k: v for k, v in values.items() if k in ("url", "enabled_events", "description", "metadata")}
    if "disabled" in values:
        changed["status"] = "disabled" if values["disabled"] else "enabled"
    backend.change(endpoint, **changed)
    return endpoint


def delete(backend: Backend, _values: Json, object_id: str) -> Json:
    """``DELETE /v1/webhook_endpoints/<id>``."""
    fetch(backend, "webhook_endpoint", object_id)
    backend.store.remove(object_id)
    return {"id": object_id, "object": "webhook_endpoint", "deleted": True}


_PATH = "/v1/webhook_endpoints"
ROUTES = (
    Route("POST", _PATH, create, "WebhookEndpointCreateParams", "webhook_endpoint"),
    Route("GET", _PATH, lister("webhook_endpoint", _PATH), "WebhookEndpointListParams", "webhook_endpoint"),
    Route(
        "GET", f"{_PATH}/<object_id>", reader("webhook_endpoint"), "WebhookEndpointRetrieveParams", "webhook_endpoint"
    ),
    Route("POST", f"{_PATH}/<object_id>", update, "WebhookEndpointUpdateParams", "webhook_endpoint"),
    Route("DELETE", f"{_PATH}/<object_id>", delete, "WebhookEndpointDeleteParams", "webhook_endpoint"),
)
