"""A small address parser for 060001, good enough to be wrong in interesting ways."""

import re
from typing import Final

_PARTS: Final = re.compile(
    r"^(?P<prov>.{2,8}?(?:省|自治区|北京市|天津市|上海市|重庆市)|北京市|天津市|上海市|重庆市)?"
    r"(?P<city>.{2,10}?(?:市|自治州|地区|盟))?"
    r"(?P<county>.{1,10}?(?:区|县|市|旗))?"
    r"(?P<address>.*)$"
)


def take_apart(text: str) -> dict[str, str]:
    """The three regions and the rest; what is not found is empty."""
    found = _PARTS.match(text.strip())
    parts = found.groupdict() if found else {}
    return {
        "wholeAddress": text,
        "provName": parts.get("prov") or "",
        "cityName": parts.get("city") or "",
        "countyName": parts.get("county") or "",
        "address": parts.get("address") or "",
    }
