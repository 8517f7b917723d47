"""How often the public progress page may be asked: enough for people, too little for guessing a 40-bit code."""

from datetime import timedelta
from typing import Final

from app.identity.rate_limits import Limit

PROGRESS_QUERIES: Final = Limit("case-progress-network", 60, timedelta(minutes=15))
