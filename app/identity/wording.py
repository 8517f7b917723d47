"""Stored messages (an English id and its parameters) in the language of whoever reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext


def worded(message: str, params: Mapping[str, Any]) -> str:
    """Translate `message` and fill in `params`; a text parameter that is itself a message id is translated too.

    An empty message stays empty (gettext would answer it with the header of the catalogue). A text that is no message
    id passes through.
    """
    if not message:
        return ""
    if not params:
        return str(gettext(message))
    filled = {key: gettext(value) if isinstance(value, str) and value else value for key, value in params.items()}
    return str(gettext(message, **filled))
