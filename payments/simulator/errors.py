"""The error object of Stripe's wire."""

from __future__ import annotations

from typing import Any

from payments.simulator.words import Json


class ApiError(Exception):
    """An answer that is not 2xx.

    ``kept`` says whether an idempotency key remembers it: Stripe saves results from the moment the endpoint began to
    execute, so refusals of validation, authentication and rate limits are not saved.
    """

    def __init__(
        self,
        status: int,
        kind: str,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        kept: bool = False,
        **extra: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kept = kept
        self.error: Json = {"type": kind, "message": message, **extra}
        if code is not None:
            self.error["code"] = code
            self.error["doc_url"] = f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}"
        if param is not None:
            self.error["param"] = param

    @property
    def body(self) -> Json:
        """The JSON body Stripe sends."""
        return {"error": self.error}


def invalid(
    message: str, *, param: str | None = None, code: str | None = None, kept: bool = False, **extra: Any
) -> ApiError:
    """400: the request is wrong; sending it again will not help."""
    return ApiError(400, "invalid_request_error", message, code=code, param=param, kept=kept, **extra)


def missing(kind: str, object_id: str, param: str = "id") -> ApiError:
    """404 ``resource_missing``."""
    return ApiError(
        404, "invalid_request_error", f"No such {kind}: '{object_id}'", code="resource_missing", param=param
    )
