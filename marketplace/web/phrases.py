"""The few words that a list of offers repeats on every row, with the language looked up once for a request.

Asking for the language costs more than the translation itself; twenty rows ask some two hundred times.
"""

from typing import Any

from flask import g
from flask_babel import get_locale, get_translations

from marketplace.rules.regions import full_name


class Phrases:
    """Phrases in the language of this request."""

    def __init__(self, translations: Any, *, english: bool) -> None:
        self._words = translations
        self.is_english = english

    def days(self, count: int) -> str:
        """A number of working days."""
        return str(self._words.ngettext("%(num)s working day", "%(num)s working days", count) % {"num": count})

    def of_services(self, count: int) -> str:
        """How many services a record rests on."""
        return str(self._words.ngettext("of %(num)s service", "of %(num)s services", count) % {"num": count})

    def ratings(self, count: int) -> str:
        """How many ratings."""
        return str(self._words.ngettext("%(num)s rating", "%(num)s ratings", count) % {"num": count})

    def offers(self, count: int) -> str:
        """How many offers."""
        return str(self._words.ngettext("%(num)s offer", "%(num)s offers", count) % {"num": count})

    def awards(self, count: int) -> str:
        """How many awards."""
        return str(self._words.ngettext("%(num)s award", "%(num)s awards", count) % {"num": count})

    def on_time(self, percent: int) -> str:
        """The share of services delivered on time."""
        return str(self._words.gettext("%(percent)s%% on time") % {"percent": percent})

    def item_limit(self, days: int) -> str:
        """The limit of the item, beside the agency's promise."""
        return str(self._words.gettext("limit of the item: %(days)s") % {"days": days})

    def region(self, code: str) -> str:
        """A division in words."""
        return full_name(code, english=self.is_english)

    def grade(self, letter: str) -> str:
        """A credit grade."""
        return str(self._words.gettext("Grade %(grade)s") % {"grade": letter})

    @property
    def no_record(self) -> str:
        """Before the first finished service."""
        return str(self._words.gettext("No record yet"))

    @property
    def not_rated(self) -> str:
        """Before the first rating."""
        return str(self._words.gettext("Not rated yet"))

    @property
    def by_agreement(self) -> str:
        """A price without an amount."""
        return str(self._words.gettext("By agreement"))

    @property
    def by_contract(self) -> str:
        """A limit that the contract sets."""
        return str(self._words.gettext("By contract"))

    @property
    def starting_at(self) -> str:
        """Before the lowest amount."""
        return str(self._words.gettext("from"))


def phrases() -> Phrases:
    """The phrases of this request."""
    if "market_phrases" not in g:
        g.market_phrases = Phrases(get_translations(), english=str(get_locale()) == "en")
    found: Phrases = g.market_phrases
    return found
