"""What comes in about offers, and the questions to the search."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from marshmallow import fields, post_load, validate, validates

from app.kernel.words import N_
from app.web.schemas import REQUIRED, FormText, InputSchema, MoneyField, text, version_field
from marketplace.queries.catalogue import item_choices
from marketplace.rules.categories import Category
from marketplace.search import GRADES, PRICE_MODES, Filters, Kind, SearchQuery, Sort
from marketplace.services.listings import Offer
from marketplace.services.saved_searches import KeepSearch
from marketplace.states.listing import ListingState, PriceMode
from marketplace.web.schemas.catalogue import one_of

PRICE_MODE_LABELS = {
    PriceMode.FIXED: N_("Fixed price"),
    PriceMode.FROM: N_("From (depends on the scale)"),
    PriceMode.NEGOTIABLE: N_("By agreement"),
}
PAGE_SIZE = 20
DEEPEST_PAGE = 500
MOST_COMPARED = 4


class OfferIn(InputSchema):
    """One offer, whole."""

    command = Offer

    item_id = fields.UUID(
        required=True,
        error_messages=REQUIRED,
        metadata={"label": N_("Service item"), "widget": "select", "choices": item_choices},
    )
    promised_limit_wd = fields.Integer(
        required=True,
        error_messages=REQUIRED,
        validate=validate.Range(min=1, max=400, error=N_("Write a number of working days between 1 and 400.")),
        metadata={"label": N_("Promised time limit in working days"), "hint": N_("At most the limit of the item.")},
    )
    price_mode = FormText(
        required=True,
        error_messages=REQUIRED,
        validate=one_of(PriceMode),
        metadata={
            "label": N_("How the price is stated"),
            "widget": "radio",
            "choices": tuple((str(k), v) for k, v in PRICE_MODE_LABELS.items()),
        },
    )
    price = MoneyField(
        load_default=None,
        allow_none=True,
        attribute="price_fen",
        metadata={"label": N_("Price"), "hint": N_("In yuan; empty when by agreement.")},
    )
    region_code = FormText(
        required=True, error_messages=REQUIRED, metadata={"label": N_("Offered in"), "widget": "region"}
    )
    expires_on = fields.Date(
        load_default=None,
        allow_none=True,
        error_messages={"invalid": N_("Not a valid date.")},
        metadata={
            "label": N_("Last day on the shelf"),
            "hint": N_("Empty for the longest time allowed. You are reminded before."),
            "widget": "date",
        },
    )
    description = text(
        N_("Description"), longest=3000, widget="textarea", hint=N_("What is included, and what you need.")
    )
    version = version_field()


class ShelfQuery(InputSchema):
    """The agency's own shelf."""

    state = FormText(load_default=None, validate=one_of(ListingState))
    after = FormText(load_default=None)


class OfferQuery(InputSchema):
    """Public offers of an item, an agency or a category."""

    item = fields.UUID(load_default=None)
    agency = fields.UUID(load_default=None)
    category = FormText(load_default=None, validate=one_of(Category))
    after = FormText(load_default=None)


class SearchIn(InputSchema):
    """A question as it stands in the address. `price` is a range in fen, "500000-999999", either end open."""

    q = FormText(load_default="")
    kind = FormText(load_default=str(Kind.LISTING), validate=one_of(Kind))
    category = fields.List(FormText(validate=one_of(Category)), load_default=list)
    city = fields.List(FormText(validate=validate.Regexp(r"^\d{6}$")), load_default=list)
    limit = fields.Integer(load_default=None, validate=validate.Range(min=0, max=10_000))
    price = FormText(load_default=None, validate=validate.Regexp(r"^\d{0,15}-\d{0,15}$"))
    price_mode = fields.List(FormText(validate=one_of(PRICE_MODES)), load_default=list)
    rating = fields.Integer(load_default=None, validate=validate.Range(min=100, max=500))
    grade = fields.List(FormText(validate=one_of(GRADES)), load_default=list)
    on_time = fields.Integer(load_default=None, validate=validate.Range(min=0, max=1000))
    sort = FormText(load_default=str(Sort.RELEVANCE), validate=one_of(Sort))
    page = fields.Integer(load_default=1, validate=validate.Range(min=1, max=DEEPEST_PAGE))
    compare = fields.List(fields.UUID(), load_default=list, validate=validate.Length(max=MOST_COMPARED))


class ComparedIn(InputSchema):
    """What is to be seen side by side: offers or agencies, one to four."""

    kind = FormText(load_default=str(Kind.LISTING), validate=one_of((Kind.LISTING, Kind.AGENCY)))
    id = fields.List(
        fields.UUID(),
        required=True,
        validate=validate.Length(min=1, max=MOST_COMPARED, error=N_("Choose one to four to compare.")),
    )


class RecordQuery(InputSchema):
    """A page of an agency's record."""

    page = fields.Integer(load_default=1, validate=validate.Range(min=1))


class KeepSearchIn(InputSchema):
    """A search to keep; `asked` is the query of its address."""

    command = KeepSearch

    name = text(N_("Name"), longest=80, hint=N_("By which you will know it in the list and in the mail."))
    asked = FormText(required=True, metadata={"widget": "hidden", "label": N_("Search")})

    @validates("asked")
    def _readable(self, value: str, **_: Any) -> None:
        arguments_of(value)

    @post_load
    def _build(self, data: Mapping[str, Any], **_: Any) -> KeepSearch:
        return KeepSearch(data["name"], arguments_of(data["asked"]))


def arguments_of(query: str) -> dict[str, Any]:
    """The arguments of a search's address as they are kept: checked, without order, page and comparison. ValidationError."""
    lists = {name for name, field in SearchIn().fields.items() if isinstance(field, fields.List)}
    values: dict[str, Any] = {}
    for name, found in parse_qs(query[:2000]).items():
        values[name] = found if name in lists else found[0]
    asked = SearchIn().load(values)
    return {
        name: value
        for name, value in asked.items()
        if value not in (None, "", []) and name not in {"page", "compare", "sort"}
    }


class SuggestIn(InputSchema):
    """What has been typed so far."""

    q = FormText(load_default="")
    limit = fields.Integer(load_default=10, validate=validate.Range(min=1, max=20))


def search_query(asked: dict[str, Any], facets: tuple[Any, ...]) -> SearchQuery:
    """The index's question for what the address says."""
    low, _, high = (asked["price"] or "-").partition("-")
    return SearchQuery(
        text=asked["q"],
        filters=Filters(
            kinds=(Kind(asked["kind"]),),
            categories=tuple(asked["category"]),
            regions=tuple(asked["city"]),
            max_limit_wd=asked["limit"],
            min_price_fen=int(low) if low else None,
            max_price_fen=int(high) if high else None,
            price_modes=tuple(asked["price_mode"]),
            grades=tuple(asked["grade"]),
            min_rating=asked["rating"],
            min_on_time=asked["on_time"],
        ),
        facets=facets,
        sort=Sort(asked["sort"]),
        offset=(asked["page"] - 1) * PAGE_SIZE,
        limit=PAGE_SIZE,
    )
