"""Payment codes (缴款码): twenty digits printed on a bill, with which anybody may look it up and pay it. Pure.

Two digits of the year, one for the kind of money, sixteen random ones and a check digit (ISO 7064 MOD 11,10), so that a
slip of the pen is told from an unknown code, and nobody finds another's bill by counting.
"""

import re
import secrets

from stdnum.exceptions import ValidationError
from stdnum.iso7064 import mod_11_10

from payments.states import BillKind

LENGTH = 20
_KIND_DIGITS = {BillKind.SERVICE_FEE: "1", BillKind.COURIER_FEE: "2", BillKind.STATUTORY_FEE: "3"}


def new_code(kind: BillKind, year: int) -> str:
    """A fresh code."""
    body = f"{year % 100:02d}{_KIND_DIGITS[kind]}{secrets.randbelow(10**16):016d}"
    return body + mod_11_10.calc_check_digit(body)


def read(typed: str) -> str | None:
    """The code that somebody typed, without blanks and hyphens; None when it cannot be one."""
    digits = re.sub(r"[\s-]", "", typed)
    if len(digits) != LENGTH or not digits.isascii() or not digits.isdigit():
        return None
    try:
        return str(mod_11_10.validate(digits))
    except ValidationError:
        return None


def printed(code: str) -> str:
    """The code in groups of four, as it is printed."""
    return " ".join(code[n : n + 4] for n in range(0, len(code), 4))
