"""Pages are made of components: nothing inline, no raw tables or forms, every icon, file and message is there."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from marshmallow import fields

from app.web import journey
from app.web.look import TONES
from app.web.schemas import InputSchema

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("app", "marketplace", "payments", "delivery", "approvals")
STATIC = ROOT / "app" / "web" / "static"
SPRITE = (STATIC / "vendor" / "icons" / "icons.svg").read_text(encoding="utf-8")
ICONS = frozenset(re.findall(r'<symbol id="([a-z0-9-]+)"', SPRITE))


def templates() -> list[Path]:
    """Our own pages; the simulators play other people's."""
    found = (p for package in PACKAGES for p in (ROOT / package).rglob("templates/**/*.html"))
    return sorted(p for p in found if "simulator" not in p.parts)


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def is_component(path: Path) -> bool:
    """Components for all pages, and a domain's own macros and parts, whose names begin with an underscore."""
    return "components" in path.parts or path.name.startswith("_")


def without_comments(path: Path) -> str:
    return re.sub(r"\{#.*?#\}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)


PAGES = [p for p in templates() if not is_component(p) and p.name != "layout.html"]


@pytest.mark.parametrize("path", templates(), ids=named)
def test_nothing_is_inline(path: Path) -> None:
    text = without_comments(path)
    assert not re.findall(r"\sstyle\s*=", text), "an inline style: the content security policy forbids it"
    assert "<style" not in text
    assert not re.findall(r"<script(?![^>]*\ssrc=)", text), "an inline script: put it into app/web/static/js"
    assert not re.findall(r"\son[a-z]+\s*=\s*[\"']", text), "an inline event handler"
    assert not re.findall(r"(?:src|href)=[\"']https?://", text), "another origin"
    assert "|safe" not in text.replace(" ", ""), "unescaped text"


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_pages_are_composed_of_components(path: Path) -> None:
    text = without_comments(path)
    assert "<table" not in text, "use data_table"
    assert "<form" not in text, "use schema_form, post_form, action_bar, confirm, filter_bar or scan_box"


@pytest.mark.parametrize("path", templates(), ids=named)
def test_icons_and_static_files_exist(path: Path) -> None:
    text = without_comments(path)
    used = set(re.findall(r"\bicon\(\s*[\"']([a-z0-9-]+)[\"']", text)) | set(
        re.findall(r"\bicon=[\"']([a-z0-9-]+)[\"']", text)
    )
    assert used <= ICONS, f"not in the sprite, add to tools/vendor.mjs and run make vendor: {sorted(used - ICONS)}"
    files = set(re.findall(r"static_url\(\s*[\"']([^\"']+)[\"']\s*\)", text))
    missing = [name for name in files if not (STATIC / name).is_file()]
    assert not missing


def macro_imports(text: str) -> Iterator[tuple[str, list[str]]]:
    for file, names in re.findall(r"{%\s*from\s+[\"']([^\"']+)[\"']\s+import\s+([^%]+?)\s*%}", text):
        yield file, names.replace(" with context", "").split(",")


@pytest.mark.parametrize("path", templates(), ids=named)
def test_imported_macros_exist_and_are_used(path: Path) -> None:
    text = without_comments(path)
    for file, names in macro_imports(text):
        if not file.startswith("components/"):
            continue
        component = ROOT / "app" / "web" / "templates" / file
        assert component.is_file(), f"{file} does not exist"
        defined = set(re.findall(r"{%-?\s*macro\s+(\w+)\(", component.read_text(encoding="utf-8")))
        for imported in names:
            name, _, alias = imported.strip().partition(" as ")
            assert name in defined, f"{file} has no macro {name}"
            assert re.search(rf"(?<!\w){alias or name}\(", text), f"{name} is imported but not used"


def test_icons_named_in_code_exist() -> None:
    """Menus and timelines name their icons in Python."""
    pattern = re.compile(r"\bicon=[\"']([a-z0-9-]+)[\"']")
    unknown = {
        f"{named(path)}: {name}"
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        for name in pattern.findall(path.read_text(encoding="utf-8"))
        if name not in ICONS
    }
    assert not unknown


def test_vendored_files_carry_their_licences() -> None:
    folders = [folder for folder in (STATIC / "vendor").iterdir() if folder.is_dir()]
    assert folders
    for folder in folders:
        assert (folder / "LICENSE").is_file(), f"{folder.name} has no licence text"


def test_every_state_has_a_tone(app: Flask) -> None:
    """A state without one would look as unimportant as a draft."""
    machines = [machine for domain in app.extensions["chaoshi_domains"] for machine in domain.machines]
    unknown = {f"{m.name}: {state.value}" for m in machines for state in m.states if state.value not in TONES}
    assert not unknown


def test_what_may_be_chosen_several_times_is_offered_so(app: Flask) -> None:
    wrong = [
        f"{schema.__module__}.{schema.__name__}.{name}"
        for schema in _schemas(InputSchema)
        for name, field in schema().fields.items()
        if isinstance(field, fields.List) and field.metadata.get("widget") in {"checkbox", "radio"}
    ]
    assert wrong == []


def _schemas(parent: type[InputSchema]) -> Iterator[type[InputSchema]]:
    for child in parent.__subclasses__():
        if not child.__module__.startswith("tests."):
            yield child
            yield from _schemas(child)


def test_icons_of_the_timeline_exist() -> None:
    assert set(journey.ICONS.values()) | set(journey.ACTION_ICONS.values()) <= ICONS
