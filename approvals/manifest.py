"""Table of contents of the approvals domain."""

from app.manifest import Domain

DOMAIN = Domain(name="approvals")
