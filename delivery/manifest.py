"""Table of contents of the delivery domain."""

from app.manifest import Domain

DOMAIN = Domain(name="delivery")
