"""One page of a list as the JSON API answers it."""

from collections.abc import Iterable
from typing import Any

from flask import Response, jsonify

from app.kernel.paging import Page


def page_answer(page: Page[Any], items: Iterable[object]) -> Response:
    """Answer a page: its `items` as JSON, which `page` of how many `pages`, and the `total` (null where not counted)."""
    return jsonify(items=list(items), page=page.number, pages=page.pages, total=page.total)
