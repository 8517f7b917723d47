"""What the two direct gateways share: one HTTP session that is deaf to proxies, and the limits of a Chinese wallet."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Final, Protocol

import requests

from payments.observed import Movement
from payments.ports import Notice, NoticeAddress, NotYetHere, Unknown

BEIJING: Final = timezone(timedelta(hours=8))
TIMEOUT: Final = (3.05, 10.0)
LARGEST_FEN: Final = 99_999_999
CNY: Final = "CNY"


@dataclass(frozen=True)
class Answer:
    """An HTTP answer: status, headers in lower case, body as sent."""

    status: int
    headers: Mapping[str, str]
    body: bytes


Transport = Callable[[str, str, Mapping[str, str], bytes], Answer]
"""method, address, headers, body -> answer; raises Unknown when there is none."""


def over_http() -> Transport:
    """The transport of production. It ignores HTTP_PROXY and ~/.netrc."""
    session = requests.Session()
    session.trust_env = False

    def send(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        try:
            got = session.request(method, url, headers=dict(headers), data=body or None, timeout=TIMEOUT)
        except requests.RequestException as failure:
            raise Unknown(type(failure).__name__) from failure
        return Answer(got.status_code, {name.lower(): value for name, value in got.headers.items()}, got.content)

    return send


class _Direct(Protocol):
    code: str


class WithoutStatement:
    """A gateway whose movements come in daily bill files, which this adapter does not read; it tells notices by itself."""

    def notices_since(self: _Direct, moment: datetime, unknown: NotYetHere) -> Iterator[Notice]:  # noqa: ARG002 - there is no such list
        """The provider keeps no list of its notices; silent attempts are asked about instead."""
        return iter(())

    def movements_since(self: _Direct, moment: datetime) -> Iterator[Movement]:
        """Raises Unknown: `caps.has_statement` is False."""
        raise Unknown(f"{self.code} lists no movements since {moment:%Y-%m-%d}")

    def balance_fen(self: _Direct) -> int:
        """Raises Unknown: `caps.has_statement` is False."""
        raise Unknown(f"{self.code} tells no balance")

    def register_notices(self: _Direct, url: str, keep: str | None) -> NoticeAddress | None:  # noqa: ARG002
        """The address goes with every request; nothing is registered."""
        return None
