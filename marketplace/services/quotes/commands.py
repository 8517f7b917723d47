"""Inputs of the use cases of sealed quotes."""

from dataclasses import dataclass, field

from app.kernel.files import Upload
from marketplace.models.quotes import SealedIn


@dataclass(frozen=True)
class HandIn:
    """A sealed quote as it comes from the agency's browser, with the commitment it is bound by.

    `plan` is the encrypted response plan; its key is inside `sealed`. `contribution` goes to the registration that is made
    along with a first quote.
    """

    commitment: str
    sealed: bytes
    plan: bytes | None = None
    sealed_in: SealedIn = SealedIn.BROWSER
    contribution: str = "0" * 64
    version: int | None = None


@dataclass(frozen=True)
class PlainQuote:
    """A price in fen for the server to seal, where the browser cannot. Held in memory only while it is sealed."""

    price_fen: int = field(repr=False)
    plan: Upload | None = field(default=None, repr=False)
    contribution: str = "0" * 64
    version: int | None = None


@dataclass(frozen=True)
class GiveShare:
    """A holder's share, taken out by its browser; or the opening code, for the server to do so. The platform gives neither."""

    share: bytes | None = field(default=None, repr=False)
    code: str | None = field(default=None, repr=False)
    version: int | None = None
