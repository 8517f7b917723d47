"""Every route x method x role: denied unless the policy allows it, never a server error."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from app.identity.authentication import permissions_of
from app.kernel.access import Role
from app.web.guard import policy_of
from tests.addresses import address

AsRole = Callable[..., FlaskClient]
JSON = {"Accept": "application/json"}
# they change who the client is: these have tests of their own
CHANGES_THE_CLIENT = {"identity.sign_out", "development.enter", "account.act_as"}
EVERYBODY: tuple[Role | None, ...] = (None, *Role)


def routes(app: Flask) -> Iterator[tuple[Rule, str]]:
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        for method in sorted(set(rule.methods or ()) - {"OPTIONS"}):
            yield rule, method


def ask(client: FlaskClient, rule: Rule, method: str) -> int:
    # refusals as JSON: error pages have tests of their own and cost more
    kwargs: dict[str, object] = {"headers": JSON}
    if rule.rule.startswith("/api/") and method in {"POST", "PUT", "PATCH"}:
        kwargs["json"] = {}
    return client.open(address(rule.rule), method=method, **kwargs).status_code  # type: ignore[arg-type]


def expected(app: Flask, rule: Rule, role: Role | None) -> str:
    """What the policy says of this role: open, refused or (a visitor) sign-in."""
    policy = policy_of(app, rule.endpoint)
    assert policy is not None, f"{rule.rule} has no policy"
    if policy.kind == "public":
        return "open"
    if role is None:
        return "sign-in"
    if policy.kind == "signed-in":
        return "open"
    held = permissions_of(frozenset({role}))
    return "refused" if policy.permissions.isdisjoint(held) else "open"


def fits(outcome: str, status: int, rule: Rule) -> bool:
    """Whether an answer is one that the expectation allows; a server error never is."""
    if status >= 500 and not (rule.rule == "/readyz" and status == 503):
        return False
    if outcome == "sign-in":
        return status == 401
    if outcome == "refused":
        return status in {403, 404}
    # an object that does not exist, an empty form or a wrong part is refused by the use case, not by the policy
    return status != 401


@pytest.mark.asvs("8.2.1")
@pytest.mark.asvs("8.3.1")
@pytest.mark.parametrize("role", EVERYBODY, ids=lambda role: role or "visitor")
def test_every_route_and_method(app: Flask, as_role: AsRole, role: Role | None) -> None:
    client = app.test_client() if role is None else as_role(role)
    wrong = {}
    seen = 0
    for rule, method in routes(app):
        if rule.endpoint in CHANGES_THE_CLIENT:
            continue
        status = ask(client, rule, method)
        outcome = expected(app, rule, role)
        seen += 1
        if not fits(outcome, status, rule):
            wrong[f"{method} {rule.rule}"] = (outcome, status)
    assert seen > 150
    assert wrong == {}


@pytest.mark.asvs("8.1.1")
def test_what_is_open_to_everybody_is_listed_here(app: Flask) -> None:
    """A new public route is a decision: it is added to this list with a thought."""
    opened = {rule.rule for rule in app.url_map.iter_rules() if _kind(app, rule) == "public"}
    account = {
        "/sign-in",
        "/sign-in/code",
        "/register",
        "/forgot-password",
        "/reset-password/<token>",
        "/confirm-address/<token>",
        "/api/register",
        "/api/tokens",
    }
    development = {
        "/dev/sign-in",
        "/dev/sign-in/<uuid:user_id>",
        "/dev/mail",
        "/dev/mail/<uuid:mail_id>",
        "/styleguide",
    }
    assert account | development <= opened
    writing = {
        rule.rule
        for rule in app.url_map.iter_rules()
        if _kind(app, rule) == "public" and set(rule.methods or ()) & {"POST", "PUT", "PATCH", "DELETE"}
    }
    assert writing - account - development == PUBLIC_WRITES


# language switch, the stop link of an alert mail (its token is the secret), parcel query by number and code, notices of gateway and carrier (they check signatures themselves),
# paying with the code of a printed bill
PUBLIC_WRITES = {
    "/language",
    "/track",
    "/api/track",
    "/delivery/notice/<any(ems, kuaidi100):source>/<segment>",
    "/pay/code/<code>/pay",
    "/pay/notice/<any(alipay, wechat_pay):source>",
    "/pay/notice/stripe",
    "/saved-searches/stop/<token>",
    # the receiver's link of a parcel: its token is the secret; the address changes only with the pick-up code
    "/t/<token>/<any(day, complaint, address, point):wish>",
}


def _kind(app: Flask, rule: Rule) -> str:
    policy = policy_of(app, rule.endpoint)
    return policy.kind if policy else ""


def test_every_permission_of_a_route_is_held_by_somebody(app: Flask) -> None:
    held = frozenset().union(*(permissions_of(frozenset({role})) for role in Role))
    asked = {
        permission
        for rule in app.url_map.iter_rules()
        for permission in getattr(policy_of(app, rule.endpoint), "permissions", ())
    }
    assert asked - held == set()


def test_a_view_without_policy_stops_the_start(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.web.guard import check_policies

    monkeypatch.setitem(app.view_functions, "bare", lambda: "x")
    with pytest.raises(RuntimeError, match="bare"):
        check_policies(app)


def test_unknown_methods_and_odd_input_get_an_answer(app: Flask, as_role: AsRole) -> None:
    client = as_role("owner")
    bodies: list[dict[str, object]] = [
        {"data": "{", "content_type": "application/json"},
        {"data": "[null, null]", "content_type": "application/json"},
        {"data": '"text"', "content_type": "application/json"},
        {"data": "null", "content_type": "application/json"},
        {"data": b"\xff\xfe\x00", "content_type": "application/json"},
        {"data": "<a/>", "content_type": "application/xml"},
        {"data": "[" * 5000, "content_type": "application/json"},
        {"json": {"version": True, "nonsense": {"a": [1]}}},
        {"data": {"version": "9" * 400}},
    ]
    wrong = {}
    for rule, method in routes(app):
        if method not in {"POST", "PUT", "PATCH"} or rule.endpoint in CHANGES_THE_CLIENT:
            continue
        # pages read forms only: two bodies are enough for them
        for number, body in enumerate(bodies if rule.rule.startswith("/api/") else bodies[-2:]):
            status = client.open(address(rule.rule), method=method, headers=JSON, **body).status_code  # type: ignore[arg-type]
            if status >= 500:
                wrong[f"{method} {rule.rule} #{number}"] = status
    assert wrong == {}
