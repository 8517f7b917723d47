"""Names and identity numbers as they come in: checked, digested, masked."""

from app.identity.security import keyed_digest
from app.kernel.errors import Refused
from app.kernel.words import N_
from marketplace.rules.people import (
    InvalidIdNumber,
    InvalidName,
    masked_number,
    normal_id_number,
    normal_name,
)


def person_name(text: str, field: str = "name") -> str:
    """A person's name in its normal form. Raises Refused at `field`."""
    try:
        return normal_name(text)
    except InvalidName as failure:
        raise Refused(
            "name-wrong", N_("Write the name as on the identity card, without digits or symbols."), field=field
        ) from failure


def digest_and_mask(id_number: str, field: str = "id_number") -> tuple[str, str]:
    """What is kept of an identity number: a keyed digest and a masked form. Raises Refused at `field`."""
    try:
        number = normal_id_number(id_number)
    except InvalidIdNumber as failure:
        raise Refused(
            "id-number-wrong",
            N_("This is not a valid identity number: 18 characters with a real birth date and a correct check digit."),
            field=field,
        ) from failure
    return identity_digest(number), masked_number(number)


def identity_digest(number: str) -> str:
    """The keyed digest of a normal identity number or credit code: equal for equal numbers of this installation only."""
    return keyed_digest("identity numbers", number)
