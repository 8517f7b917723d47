"""Addresses of routes with ids that nothing has."""

import re
from uuid import uuid4


def address(rule: str) -> str:
    """An address that the rule of a route matches."""
    made = re.sub(r"<uuid:[a-z_]+>", str(uuid4()), rule)
    made = re.sub(r"<int:[a-z_]+>", "1", made)
    made = re.sub(r"<any\(([a-z_]+)[^)]*\):[a-z_]+>", r"\1", made)
    return re.sub(r"<(?:[a-z]+:)?[a-z_]+>", "x", made)
