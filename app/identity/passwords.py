"""Which passwords are accepted. Pure.

Length decides, not composition (ASVS 5.0 6.2): at least 12 characters (15 for staff), up to 128; not one of the common
passwords, nothing that is mostly the person's own name or address or the platform's name.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from importlib import resources
from itertools import pairwise

from app.kernel.words import N_

MINIMUM = 12
STAFF_MINIMUM = 15
MAXIMUM = 128
CONTEXT_WORDS = ("chaoshi", "zhongjie", "中介超市", "supermarket")


@cache
def common_passwords() -> frozenset[str]:
    """The shipped list of common passwords, lower case."""
    text = resources.files("app.identity").joinpath("data/common-passwords.txt").read_text("utf-8")
    return frozenset(line.strip() for line in text.splitlines() if line.strip())


def weakness(password: str, *, own_words: tuple[str, ...] = (), staff: bool = False) -> str | None:
    """The reason (a message id) why a password is refused, or None when it is good."""
    text = unicodedata.normalize("NFKC", password)
    # both forms count: normalising may lengthen what was typed
    if min(len(password), len(text)) < (STAFF_MINIMUM if staff else MINIMUM):
        return N_("Use at least 15 characters.") if staff else N_("Use at least 12 characters.")
    if len(text) > MAXIMUM:
        return N_("Use at most 128 characters.")
    folded = text.casefold()
    if folded in common_passwords() or _repeats(folded):
        return N_("This password is among the first ones that attackers try. Choose another one.")
    if _mostly_context(folded, own_words):
        return N_("Do not build the password from your name, your address or the name of this platform.")
    return None


def _repeats(text: str) -> bool:
    """Whether the text is one to four characters, or a common password, over and over, or a plain run."""
    if any(text == (text[:n] * len(text))[: len(text)] for n in range(1, 5)):
        return True
    steps = {ord(b) - ord(a) for a, b in pairwise(text)}
    if steps in ({1}, {-1}):
        return True
    half = len(text) // 2
    return len(text) % 2 == 0 and text[:half] == text[half:] and text[:half] in common_passwords()


def _mostly_context(text: str, own_words: tuple[str, ...]) -> bool:
    rest = text
    for word in (*CONTEXT_WORDS, *own_words):
        folded = word.casefold()
        if len(folded) >= 3:
            rest = rest.replace(folded, "")
    return len(rest) < 6
