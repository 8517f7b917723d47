"""Table of contents of the marketplace domain."""

from app.manifest import Domain

DOMAIN = Domain(name="marketplace")
