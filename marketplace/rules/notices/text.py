"""The letters of a notice: rare characters stay, full-width digits become plain ones, invisible controls are refused.

A bidirectional control reorders what is shown without changing what is stored ("price 1" may read "1 price"), so a public notice
never holds one. Characters outside the basic plane (生僻字), Arabic, Hebrew and emoji are ordinary letters.
"""

import unicodedata
from typing import Final

from app.kernel.words import N_

_FULL_WIDTH_DIGITS: Final = {0xFF10 + digit: str(digit) for digit in range(10)}

_BIDI_CONTROLS: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_LINE_BREAKS: Final = frozenset("\n\r\t")

REFUSED_CONTROL: Final = N_(
    "The text holds an invisible control character that changes how it is read. Type the text anew instead of pasting it."
)


def plain_digits(text: str) -> str:
    """`text` with its full-width digits (０-９) as the plain ones; everything else stays as typed."""
    return text.translate(_FULL_WIDTH_DIGITS)


def has_hidden_control(text: str) -> bool:
    """Whether `text` holds a bidirectional control, another control character, or half of a character (a lone surrogate)."""
    return any(
        letter in _BIDI_CONTROLS or (unicodedata.category(letter) in {"Cc", "Cs"} and letter not in _LINE_BREAKS)
        for letter in text
    )
