"""What is known of a gateway's notices."""

from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import (
    Base,
)


class GatewayAddress(Base):
    """Where the gateway sends its notices, with the secrets they are signed with (the present and the previous one), sealed."""

    __tablename__ = "gateway_address"
    gateway: Mapped[str] = mapped_column(String(16), primary_key=True)
    url: Mapped[str] = mapped_column(Text)
    ref: Mapped[str] = mapped_column(String(120))
    secret: Mapped[str] = mapped_column(Text)
    previous_secret: Mapped[str | None] = mapped_column(Text)
    registered_at: Mapped[datetime]
