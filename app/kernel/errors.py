"""Refusals. Domain code raises them; `app.web.problems` alone turns them into problem+json or a page."""

from collections.abc import Sequence
from typing import Any

from app.kernel.words import N_


class DomainError(Exception):
    """A refusal with a stable `code`, an English catalogue `title`, an HTTP `status` and a translated-later `detail`.

    `params` fill the placeholders of `detail` (``%(name)s``) after translation; `extra` goes into the problem document.
    """

    code = "refused"
    title = N_("The request was refused")
    status = 422

    def __init__(self, detail: str = "", *, params: dict[str, Any] | None = None, **extra: Any) -> None:
        super().__init__(detail or self.title)
        self.detail = detail
        self.params = params or {}
        self.extra = extra


class Refused(DomainError):
    """A rule says no. `field` points to the part of the input that is to be changed, if any."""

    def __init__(
        self, code: str, detail: str, *, field: str | None = None, params: dict[str, Any] | None = None, **extra: Any
    ) -> None:
        super().__init__(detail, params=params, **extra)
        self.code = code
        self.field = field


class NotSignedIn(DomainError):
    code = "not-signed-in"
    title = N_("Please sign in first")
    status = 401


class NotAllowed(DomainError):
    code = "not-allowed"
    title = N_("You may not do this")
    status = 403


class NotFound(DomainError):
    """Also the answer for an object of another tenant: its existence is not told."""

    code = "not-found"
    title = N_("There is no such object, or it is not yours to see")
    status = 404


class Conflict(DomainError):
    code = "conflict"
    title = N_("The request conflicts with the present state")
    status = 409

    def __init__(self, code: str, detail: str, *, params: dict[str, Any] | None = None, **extra: Any) -> None:
        super().__init__(detail, params=params, **extra)
        self.code = code


class Outdated(DomainError):
    """The page or document that the request was made from is older than the object."""

    code = "outdated"
    title = N_("This has changed since you opened it. Look at the present state and try again.")
    status = 409


class IllegalTransition(DomainError):
    code = "illegal-transition"
    title = N_("This step is not possible in the present state")
    status = 409

    def __init__(self, machine: str, action: str, state: str, allowed: Sequence[str]) -> None:
        super().__init__("", machine=machine, action=action, state=state, allowed=list(allowed))


class TooManyRequests(DomainError):
    code = "too-many-requests"
    title = N_("Too many attempts. Wait a little and try again.")
    status = 429

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__("", retry_after=retry_after_seconds)
        self.retry_after_seconds = retry_after_seconds
