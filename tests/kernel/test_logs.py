"""No personal data and no secret reaches the log, whichever way it is thrown at it."""

import io
import json
import logging
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kernel import logs

SECRETS = [
    "11010119900307123X",
    "440106198507214410",
    "31011520010228003x",
    "110101900307123",
    "13800138000",
    "+86 13912345678",
    "159-8765-4321",
    "186 0000 1234",
    "6222021234567890123",
    "4242 4242 4242 4242",
    "li.ming@example.cn",
    "wang+notes@mail.example.com.cn",
    "csk_Zt5y0Vn1pQ8rWf3kUe7oXs2LmBd9Hc6gJa4Ti-_KxYzQ",
    "sk_test_51Hx9abcDEFghiJKL",
    "sk_live_51Hx9abcDEFghiJKL",
    "whsec_9d8f7a6b5c4d3e2f1a0b",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dBjftJeZ4CVPmB92K27uhbUJU1p1r_wW1gFWFOEjXk",
    "s.Zt5y0Vn1pQ8rWf3kUe7oXs2LmBd9Hc6gJa4TiKxYzQ1",
    "Authorization: Bearer abcdefghijklmnop",
    "Basic bGk6Y29ycmVjdCBob3JzZQ==",
    "password=correct-horse-battery",
    '"password": "correct-horse-battery"',
    "signKey=U0lNLUtFWS0wMDAwMDAwMQ==",
    "csrf_token=IjQ0MDM4MmY5Nzcy",
    "/reset-password/WyJhYmMiLCIkNSQiXQ.aGk.c2ln",
    "/confirm-address/WyJhYmMiLCIkNSQiXQ.aGk.c2ln",
]
# what must not survive: the whole thing, or its telling part where a name stays readable
TELLING = {
    "Authorization: Bearer abcdefghijklmnop": "abcdefghijklmnop",
    "Basic bGk6Y29ycmVjdCBob3JzZQ==": "bGk6Y29ycmVjdCBob3JzZQ",
    "password=correct-horse-battery": "correct-horse-battery",
    '"password": "correct-horse-battery"': "correct-horse-battery",
    "signKey=U0lNLUtFWS0wMDAwMDAwMQ==": "U0lNLUtFWS0wMDAwMDAwMQ",
    "csrf_token=IjQ0MDM4MmY5Nzcy": "IjQ0MDM4MmY5Nzcy",
    "/reset-password/WyJhYmMiLCIkNSQiXQ.aGk.c2ln": "WyJhYmMiLCIkNSQiXQ",
    "/confirm-address/WyJhYmMiLCIkNSQiXQ.aGk.c2ln": "WyJhYmMiLCIkNSQiXQ",
    "s.Zt5y0Vn1pQ8rWf3kUe7oXs2LmBd9Hc6gJa4TiKxYzQ1": "Zt5y0Vn1pQ8rWf3kUe7oXs2LmBd9Hc6gJa4TiKxYzQ1",
    "+86 13912345678": "13912345678",
    "31011520010228003x": "31011520010228003",
}


@pytest.fixture
def log() -> Iterator[tuple[logging.Logger, Callable[[], list[dict[str, object]]]]]:
    """A logger with the real formatter, and what it wrote."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.formatter())
    logger = logging.Logger("test")  # noqa: LOG001 - apart from the global ones
    logger.addHandler(handler)
    yield logger, lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


Log = tuple[logging.Logger, Callable[[], list[dict[str, object]]]]


def throw(logger: logging.Logger, secret: str) -> None:
    """Every way that a value gets into a log call."""
    logger.info(f"value {secret} in the text")  # noqa: G004 - the careless way
    logger.info("value %s as argument", secret)
    logger.info("value %(x)s by name", {"x": secret})
    logger.info("as extra", extra={"note": secret})
    logger.info("nested", extra={"facts": {"deep": [secret, {"more": (secret,)}]}})
    logger.info({"message": "a mapping", "value": secret})
    logger.warning("an object", extra={"thing": ValueError(secret)})
    try:
        raise ValueError(f"cannot use {secret}")  # noqa: TRY301
    except ValueError:
        logger.exception("failed")
    try:
        try:
            raise KeyError(secret)  # noqa: TRY301
        except KeyError as cause:
            raise RuntimeError("outer") from cause
    except RuntimeError:
        logger.exception("chained with %s", secret)


@pytest.mark.asvs("16.2.5")
@pytest.mark.parametrize("secret", SECRETS)
def test_nothing_personal_or_secret_is_written(log: Log, secret: str) -> None:
    logger, written = log
    throw(logger, secret)
    lines = written()
    assert len(lines) == 9
    text = json.dumps(lines, ensure_ascii=False)
    assert TELLING.get(secret, secret) not in text
    assert text.count(logs.REDACTED) >= 9


@pytest.mark.parametrize(
    "name", ["password", "id_number", "mobile", "receiver_phone", "Authorization", "api_token", "set-cookie", "email"]
)
def test_secret_by_name(log: Log, name: str) -> None:
    logger, written = log
    logger.info("x", extra={name: "anything", "inner": {name: 5}})
    (line,) = written()
    assert line[name] == logs.REDACTED
    assert line["inner"] == {name: logs.REDACTED}


def test_what_is_needed_stays_readable(log: Log) -> None:
    logger, written = log
    token = logs.request_id.set("0193a1b2c3d4e5f60718293a4b5c6d7e")
    try:
        logger.info(
            "paid bill %s",
            "0193a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b",
            extra={"amount_fen": 1280000, "count": 3, "ok": True},
        )
    finally:
        logs.request_id.reset(token)
    (line,) = written()
    assert line["message"] == "paid bill 0193a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b"
    assert (line["amount_fen"], line["count"], line["ok"]) == (1280000, 3, True)
    assert line["request_id"] == "0193a1b2c3d4e5f60718293a4b5c6d7e"
    assert (line["level"], line["logger"]) == ("INFO", "test")
    assert str(line["timestamp"]).endswith("+00:00")


@pytest.mark.parametrize(
    "text", ["CG-2026-000123", "440106", "2026-11-23T02:00:00Z", "1234567890123 EMS", "91440101MA0000001Q", "3.53.4"]
)
def test_numbers_of_the_business_are_not_mistaken_for_people(text: str) -> None:
    assert logs.redact(text) == text


@given(
    st.integers(min_value=0, max_value=99999999),
    st.sampled_from("3456789"),
    st.text(alphabet=" ,;:()[]/“”，", max_size=3),
)
def test_any_mobile_number_in_any_surroundings_is_redacted(rest: int, second: str, around: str) -> None:
    number = f"1{second}1{rest:08d}"
    assert number not in logs.redact(f"call{around} {number}{around}")
