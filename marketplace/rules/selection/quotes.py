"""What a selection method sees of a quote (报价): the opened price and whether the quote counts.

Sealing, keys and opening are `marketplace.rules.sealed_quotes` and its services; a method never sees a sealed quote.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class OpenedQuote:
    """One agency's last quote of one round after the opening.

    `price_fen` is the offered price in integer fen; `invalid_because` is a message id when the quote does not count (its
    commitment does not match, above the ceiling), and such a quote is published, never dropped. `plan_file_id` is the
    response plan (方案) that came with it, when the method asks for one.
    """

    registration_id: UUID
    uscc: str
    round: int
    price_fen: int
    sealed_at: datetime
    invalid_because: str | None = None
    plan_file_id: UUID | None = None

    @property
    def is_valid(self) -> bool:
        """Whether the method takes it into account."""
        return self.invalid_because is None
