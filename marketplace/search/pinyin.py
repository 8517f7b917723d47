"""Pinyin of names, for the index writer only: the dictionary costs 50 MB and half a second, which a web process must not pay."""

from functools import cache
from typing import Any

from .analysis import is_han, normalise

# Place names whose reading the general dictionary gets wrong.
_READINGS = {
    "六合": "lu he",
    "长寿": "chang shou",
    "栖霞": "qi xia",
    "盱眙": "xu yi",
    "邗江": "han jiang",
    "睢宁": "sui ning",
    "浒墅关": "xu shu guan",
}


@cache
def _pypinyin() -> Any:
    import pypinyin

    pypinyin.load_phrases_dict({word: [[s] for s in reading.split()] for word, reading in _READINGS.items()})
    return pypinyin


def syllables(name: str) -> tuple[str, ...]:
    """One syllable for each character of the normalised name; a character without a reading stands for itself."""
    text = normalise(name)
    pypinyin = _pypinyin()
    read = pypinyin.lazy_pinyin(text, style=pypinyin.Style.NORMAL, errors=list)
    return tuple(s.replace("ü", "v") if is_han(c) else c for c, s in zip(text, read, strict=True))
