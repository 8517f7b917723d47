"""Which accepted services the operator inspects (抽查): decided by the contract's own number, so that nobody chooses; pure."""

import hashlib
from uuid import UUID

_BUCKETS = 10_000


def is_inspected(contract_id: UUID, percent: int) -> bool:
    """Whether this service falls under the inspection at a rate of `percent` (0 to 100).

    SHA-256 of the id decides: a service inspected at a low rate is inspected at every higher one.
    """
    digest = hashlib.sha256(contract_id.bytes).digest()
    return int.from_bytes(digest[:8], "big") % _BUCKETS < percent * (_BUCKETS // 100)
