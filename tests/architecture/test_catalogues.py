"""Every message is translated: what the code says now is in the Chinese catalogue of its package."""

from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("app", "marketplace", "payments", "delivery", "approvals")
METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2")]
KEYWORDS = {"_": None, "gettext": None, "N_": None, "lazy_gettext": None, "ngettext": (1, 2)}


@pytest.mark.parametrize("package", PACKAGES)
def test_every_message_is_translated(package: str) -> None:
    path = ROOT / package / "translations" / "zh_Hans_CN" / "LC_MESSAGES" / "messages.po"
    with path.open("rb") as stream:
        catalogue = read_po(stream, locale="zh_Hans_CN")
    translated = {
        message.id[0] if isinstance(message.id, tuple | list) else message.id
        for message in catalogue
        if message.id and not message.fuzzy and (all(message.string) if message.pluralizable else message.string)
    }
    options = {"**/templates/**.html": {"trim_blocks": "true", "lstrip_blocks": "true"}}
    said = {
        message[0] if isinstance(message, tuple) else message
        for _file, _line, message, _comments, _context in extract_from_dir(
            ROOT / package, METHODS, options, keywords=KEYWORDS
        )
    }
    assert sorted(said - translated) == []


def test_one_message_has_one_translation() -> None:
    """All catalogues are merged at run time: two translations of one message would depend on their order."""
    said: dict[str, set[str]] = {}
    for package in PACKAGES:
        path = ROOT / package / "translations" / "zh_Hans_CN" / "LC_MESSAGES" / "messages.po"
        with path.open("rb") as stream:
            for message in read_po(stream, locale="zh_Hans_CN"):
                if message.id:
                    name = message.id if isinstance(message.id, str) else message.id[0]
                    text = message.string if isinstance(message.string, str) else message.string[0]
                    said.setdefault(name, set()).add(text)
    assert {name: texts for name, texts in said.items() if len(texts) > 1} == {}
