"""List the messages of a package that its Chinese catalogue does not translate; exit 1 when there are any."""

import sys
from pathlib import Path

from babel.messages.pofile import read_po


def untranslated(package: str) -> list[str]:
    path = Path(package) / "translations" / "zh_Hans_CN" / "LC_MESSAGES" / "messages.po"
    with path.open("rb") as stream:
        catalogue = read_po(stream, locale="zh_Hans_CN")
    empty = [m for m in catalogue if m.id and (m.fuzzy or not (all(m.string) if m.pluralizable else m.string))]
    return [m.id[0] if isinstance(m.id, tuple | list) else m.id for m in empty]


if __name__ == "__main__":
    missing = untranslated(sys.argv[1])
    for message in missing:
        sys.stdout.write(f"untranslated: {message!r}\n")
    sys.exit(1 if missing else 0)
