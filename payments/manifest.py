"""Table of contents of the payments domain."""

from app.manifest import Domain

DOMAIN = Domain(name="payments")
