"""The OpenAPI document and its page."""

import json
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from flask_babel import refresh

from app.web.guard import policy_of


def document(client: FlaskClient) -> dict[str, Any]:
    return dict(client.get("/api/openapi.json").get_json())


def test_every_described_route_is_in_the_document(app: Flask, client: FlaskClient) -> None:
    found = document(client)
    assert found["openapi"] == "3.1.0"
    described = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/") and hasattr(app.view_functions[rule.endpoint], "operation")
    }
    listed = {
        operation["operationId"].rsplit(".", 1)[0]
        for operations in found["paths"].values()
        for operation in operations.values()
    }
    assert described - listed == set()
    assert len(found["paths"]) > 30


def test_every_api_route_is_described(app: Flask) -> None:
    bare = {
        rule.rule
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/")
        and rule.rule not in {"/api/", "/api/openapi.json"}
        and not hasattr(app.view_functions[rule.endpoint], "operation")
    }
    assert bare == set()


def test_references_lead_somewhere_and_ids_are_unique(client: FlaskClient) -> None:
    found = document(client)
    text = json.dumps(found)
    names = set(found["components"]["schemas"])
    used = {part.split('"')[0] for part in text.split('"#/components/schemas/')[1:]}
    assert used - names == set()
    ids = [operation["operationId"] for operations in found["paths"].values() for operation in operations.values()]
    assert len(ids) == len(set(ids))


def test_security_is_that_of_the_policies(app: Flask, client: FlaskClient) -> None:
    found = document(client)
    assert found["paths"]["/api/tokens"]["post"]["security"] == []
    assert "security" not in found["paths"]["/api/account"]["get"]
    assert {"401", "403"} <= set(found["paths"]["/api/account"]["get"]["responses"])
    assert policy_of(app, "reference.reference") is not None


def test_actions_are_listed_one_by_one_with_their_input(client: FlaskClient) -> None:
    path = document(client)["paths"]["/api/members/{object_id}/actions/refuse"]["post"]
    schema = path["requestBody"]["content"]["application/json"]["schema"]
    assert schema["$ref"].endswith("MembershipReasonIn")
    assert [p["name"] for p in path["parameters"]] == ["object_id", "Idempotency-Key"]


def test_money_is_text_in_yuan(client: FlaskClient) -> None:
    schemas = document(client)["components"]["schemas"]
    money = [
        field
        for schema in schemas.values()
        for field in schema.get("properties", {}).values()
        if field.get("examples") == ["1234.50"]
    ]
    assert money
    assert all("string" in field["type"] for field in money)


def test_the_page_lists_every_operation_in_both_languages(client: FlaskClient) -> None:
    operations = sum(len(one) for one in document(client)["paths"].values())
    page = client.get("/api/").get_data(as_text=True)
    assert page.count('class="api-operation"') == operations
    assert "开放接口" in page
    client.set_cookie("language", "en")
    refresh()  # requests of a test share one application context, which remembers the language
    assert "Open interface" in client.get("/api/").get_data(as_text=True)
