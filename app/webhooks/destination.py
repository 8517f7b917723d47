"""Where messages may go, and sending one: resolve, look at every address, then connect to exactly the one looked at.

A subscriber types the address, so our own network must be out of reach (server-side request forgery): https only, no
address that is not public, no redirects, and no second look-up between the check and the connection. Outside
production this machine itself may be told, by plain http, for trying things out.
"""

import ipaddress
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import certifi
import urllib3

from app.kernel.errors import Refused
from app.kernel.words import N_
from app.webhooks.rules import EXCERPT

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
CONNECT_SECONDS, READ_SECONDS = 3.0, 10.0
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_LOWEST_OTHER_PORT = 1024


class Unreachable(Exception):
    """The message could not be sent; the text says why, for the log."""


@dataclass(frozen=True)
class Target:
    """An address taken apart."""

    is_https: bool
    host: str
    port: int
    path: str


@dataclass(frozen=True)
class Answer:
    """What the receiver answered (`status` and the beginning of its text), or the problem; and how long it took."""

    status: int | None
    excerpt: str | None
    problem: str | None
    milliseconds: int


def read(url: str, *, local: bool) -> Target:
    """Take an address apart. Raises Refused (field `url`) for one that no message may go to; `local` allows plain http."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as bad:
        raise _refused(N_("This is no address of a web service.")) from bad
    if parts.scheme not in (("https", "http") if local else ("https",)):
        raise _refused(N_("The address must begin with https://."))
    if not parts.hostname or parts.username is not None or parts.password is not None or parts.fragment:
        raise _refused(N_("The address must name a host, without user name, password or fragment."))
    is_https = parts.scheme == "https"
    port = port or (443 if is_https else 80)
    if port not in (80, 443) and port < _LOWEST_OTHER_PORT:
        raise _refused(N_("This port is not used by web services."))
    literal = _literal(parts.hostname)
    if literal is not None and not may_be_told(literal, local=local):
        raise _refused(N_("Messages are not sent to addresses inside a network."))
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(is_https, parts.hostname, port, path)


def _refused(detail: str) -> Refused:
    return Refused("webhook-address", detail, field="url")


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def may_be_told(address: Address, *, local: bool) -> bool:
    """Whether a message may go to this address: public ones only, and with `local` this machine itself.

    Looks through the forms in which IPv6 carries an IPv4 address.
    """
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return may_be_told(inner, local=local)
    if local and address.is_loopback:
        return True
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def resolve(target: Target, *, local: bool) -> str:
    """The address to connect to. Raises Unreachable when the name is unknown or any of its addresses is not public."""
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except OSError as failure:
        raise Unreachable("the host name is not known") from failure
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    if not addresses or not all(may_be_told(address, local=local) for address in addresses):
        raise Unreachable("the host name leads into a network that is not public")
    return str(addresses[0])


def send(url: str, headers: Mapping[str, str], body: str, *, local: bool) -> Answer:
    """Post the body once; never raises. Redirects are not followed, of the answer only the beginning is read."""
    started = time.monotonic()

    def taken() -> int:
        return int((time.monotonic() - started) * 1000)

    try:
        target = read(url, local=local)
        status, excerpt = _post(target, resolve(target, local=local), headers, body)
    except (Unreachable, Refused) as refusal:
        return Answer(None, None, str(refusal)[:200], taken())
    except (urllib3.exceptions.HTTPError, OSError) as failure:
        return Answer(None, None, type(failure).__name__, taken())
    return Answer(status, excerpt, None, taken())


def _post(target: Target, address: str, headers: Mapping[str, str], body: str) -> tuple[int, str]:
    timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
    if target.is_https:
        pool: urllib3.HTTPConnectionPool = urllib3.HTTPSConnectionPool(
            address, target.port, timeout=timeout, server_hostname=target.host, assert_hostname=target.host,
            ca_certs=certifi.where(), cert_reqs="CERT_REQUIRED",
        )  # fmt: skip
    else:
        pool = urllib3.HTTPConnectionPool(address, target.port, timeout=timeout)
    usual = 443 if target.is_https else 80
    host = f"[{target.host}]" if ":" in target.host else target.host
    named = {**headers, "host": host if target.port == usual else f"{host}:{target.port}"}
    with pool:
        answer = pool.urlopen(
            "POST", target.path, body=body.encode(), headers=named, retries=False, redirect=False, preload_content=False
        )
        try:
            beginning = answer.read(EXCERPT * 4, decode_content=False)
        finally:
            answer.close()
    return answer.status, beginning.decode("utf-8", "replace").replace("\x00", "")[:EXCERPT]
