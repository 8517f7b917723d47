"""Names and identity numbers of the people behind an agency. Pure.

Identity numbers follow GB 11643-1999 (18 characters, birth date, check digit), credit codes GB 32100-2015.
"""

import re
import unicodedata
from enum import StrEnum
from typing import Final

from stdnum.cn import ric
from stdnum.exceptions import ValidationError as NotANumber

from app.kernel.words import N_


class PersonPart(StrEnum):
    """What somebody is to an agency."""

    LEGAL_REPRESENTATIVE = "legal_representative"
    AUTHORISED = "authorised"
    SHAREHOLDER = "shareholder"
    CONTROLLER = "controller"


PART_LABELS: Final[dict[PersonPart, str]] = {
    PersonPart.LEGAL_REPRESENTATIVE: N_("Legal representative"),
    PersonPart.AUTHORISED: N_("Authorised representative"),
    PersonPart.SHAREHOLDER: N_("Shareholder"),
    PersonPart.CONTROLLER: N_("Actual controller"),
}


class InvalidIdNumber(ValueError):
    """Not a citizen identity number: wrong length, birth date or check digit."""


class InvalidName(ValueError):
    """Not a name: it holds digits, symbols or characters that direct the text."""


def plain_characters(text: str) -> str:
    """`text` with full-width letters and digits as ordinary ones, without blanks: how codes are compared."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def normal_id_number(text: str) -> str:
    """The identity number in its 18 plain characters. Raises InvalidIdNumber.

    Length, characters, birth date and check digit are looked at. The division code is not: the library knows when each code
    began, but a number carries the code of the day it was given out, which may lie years after the birth.
    """
    number = ric.compact(plain_characters(text))
    if not re.fullmatch(r"[1-9]\d{16}[\dX]", number, re.ASCII):
        raise InvalidIdNumber(text)
    try:
        ric.get_birth_date(number)
    except NotANumber as failure:
        raise InvalidIdNumber(text) from failure
    if number[-1] != ric.calc_check_digit(number):
        raise InvalidIdNumber(text)
    return number


_BETWEEN: Final = "·•‧ -'’."


def normal_name(text: str) -> str:
    """A person's name in composed form, its inner blanks single. Rare characters of every plane are kept. Raises InvalidName."""
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not name or any(c not in _BETWEEN and unicodedata.category(c)[0] not in "LM" for c in name):
        raise InvalidName(text)
    return name


def masked_name(name: str) -> str:
    """A name as the public reads it: the first character, the rest as stars (沈知远 → 沈**)."""
    return name[:1] + "*" * max(1, len(name) - 1)


def masked_number(number: str) -> str:
    """An identity number or credit code as pages show it: its first four and last two characters."""
    return f"{number[:4]}{'*' * max(1, len(number) - 6)}{number[-2:]}"
