"""Logs as JSON lines: UTC, request id, and nothing that identifies a person or lets somebody in.

Redaction works on the finished line's values, so it also covers exception texts and arguments of foreign libraries.
"""

from __future__ import annotations

import logging
import re
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, TextIO

from pythonjsonlogger.json import JsonFormatter

request_id: ContextVar[str] = ContextVar("request_id", default="")
REDACTED = "[redacted]"

# order matters: longer and more specific shapes first
PATTERNS: tuple[re.Pattern[str], ...] = (
    # keys and tokens by their prefixes: ours, the gateway's, web tokens
    re.compile(r"\b(?:csk|sk_live|sk_test|rk_live|rk_test|whsec|pi|cs_live|cs_test)_[A-Za-z0-9_\-]{8,}"),
    re.compile(r"\beyJ[A-Za-z0-9_\-]+\.[A-Za-z0-9_\-]+(?:\.[A-Za-z0-9_\-]+)?"),
    re.compile(r"(?i)\b(?:bearer|basic)\s+[A-Za-z0-9._~+/=\-]{8,}"),
    # name=value and "name": "value" of what is secret by its name
    re.compile(
        r"(?i)(?:password|passwd|secret|token|authorization|cookie|session|signkey|csrf_token|otp|code)"
        r"[\"']?\s*[=:]\s*[\"']?[^\s\"',;&}]+"
    ),
    # mailed links that let somebody in
    re.compile(r"(?i)(?:(?<=/reset-password/)|(?<=onfirm-address/))[A-Za-z0-9._\-]+"),
    # identity numbers of eighteen (GB 11643) and fifteen digits, mobile numbers, bank cards, mail addresses
    re.compile(
        r"(?<![0-9A-Za-z])[1-9]\d{5}(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])\d{3}[0-9Xx](?![0-9A-Za-z])"
    ),
    re.compile(r"(?<!\d)[1-9]\d{5}\d{2}(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])\d{3}(?!\d)"),
    re.compile(r"(?<![0-9A-Za-z])(?:\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?![0-9A-Za-z])"),
    re.compile(r"(?<![0-9A-Za-z\-])(?:62|4\d|5[1-5])\d{2}[ ]?\d{4}[ ]?\d{4}[ ]?\d{4}(?:[ ]?\d{3})?(?![0-9A-Za-z])"),
    re.compile(r"[A-Za-z0-9._%+\-]+@[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)+"),
    # forty and more characters without a break are a secret of some kind (256-bit tokens in base64 have 43)
    re.compile(
        r"(?<![A-Za-z0-9_\-])(?=[A-Za-z0-9_\-]*[A-Z])(?=[A-Za-z0-9_\-]*[a-z])(?=[A-Za-z0-9_\-]*\d)[A-Za-z0-9_\-]{40,}"
    ),
)
SECRET_NAMES = re.compile(
    r"(?i)password|secret|token|authorization|cookie|mobile|phone|id_?number|email|address|otp|sign_?key"
)
KNOWN_SAFE = frozenset({"timestamp", "level", "logger", "request_id", "path", "method", "status", "ms"})


def redact(value: Any) -> Any:
    """Return `value` with everything that looks personal or secret replaced; containers keep their shape."""
    if isinstance(value, str):
        for pattern in PATTERNS:
            value = pattern.sub(REDACTED, value)
        return value
    if isinstance(value, dict):
        return {key: REDACTED if SECRET_NAMES.search(str(key)) else redact(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [redact(inner) for inner in value]
    if isinstance(value, bool | float | type(None)):
        return value
    if isinstance(value, int):
        text = redact(str(value))
        return value if text == str(value) else text
    return redact(str(value))


class RedactingFormatter(JsonFormatter):
    """One JSON object a line, redacted."""

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        """Redact every value that is not one of our own fixed fields."""
        record = super().process_log_record(log_data)
        return {
            key: value
            if key in KNOWN_SAFE and key != "path"
            else (REDACTED if key not in KNOWN_SAFE and SECRET_NAMES.search(key) else redact(value))
            for key, value in record.items()
        }

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        """Put time, level, logger and request id first."""
        super().add_fields(log_data, record, message_dict)
        log_data["timestamp"] = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        log_data["level"] = record.levelname
        log_data["logger"] = record.name
        current = request_id.get()
        if current:
            log_data["request_id"] = current


def formatter() -> RedactingFormatter:
    """The formatter of all handlers."""
    return RedactingFormatter("%(message)s", json_ensure_ascii=False)


class StandardError(logging.StreamHandler[TextIO]):
    """Writes to what standard error is at that moment."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        """Standard error now, also when somebody has exchanged it since."""
        return sys.stderr


def configure(level: str = "INFO") -> None:
    """Send the root logger to standard error as redacted JSON; a repeat changes nothing."""
    handler = StandardError()
    handler.setFormatter(formatter())
    root = logging.getLogger()
    root.handlers[:] = [kept for kept in root.handlers if not isinstance(kept, StandardError)] + [handler]
    root.setLevel(level)
    # chatty at INFO and of no use to us
    for name in ("apscheduler", "urllib3", "stripe", "werkzeug"):
        logging.getLogger(name).setLevel(logging.WARNING)
