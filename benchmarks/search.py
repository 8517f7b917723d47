"""`python -m benchmarks.search [--listings 20000]`: CPU per query, our index beside stock Whoosh and SQLite FTS5 in one run.

The same documents and the same terms for all: pairs of characters. Classes as usual for such tables: one term, several terms, terms with
filters, terms with facets, sorting by price, prefix, misspelling, browsing without words.
"""

import argparse
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from benchmarks.market import NOW, SENTENCES, SYLLABLES, TRADES
from marketplace.rules.regions import regions
from marketplace.search import Document, Facet, Filters, Kind, SearchQuery, Sort, WhooshIndex
from marketplace.search.analysis import document_terms, query_words
from marketplace.services.catalogue import shipped_items

FACETS = (Facet.CATEGORY, Facet.CITY, Facet.LIMIT)


def corpus(count: int, seed: int = 1) -> list[Document]:
    """`count` offers of the shipped items by invented agencies."""
    chance = random.Random(seed)
    items = list(shipped_items())
    places = list(regions())
    agencies = [
        "".join(chance.sample(SYLLABLES, 3)) + chance.choice(TRADES) + "有限公司" for _ in range(max(1, count // 10))
    ]
    made = []
    for number in range(count):
        _code, item = chance.choice(items)
        made.append(
            Document(
                kind=Kind.LISTING,
                id=UUID(int=chance.getrandbits(128)),
                title=item.name,
                names=f"{chance.choice(agencies)} {item.category}",
                text="".join(chance.sample(SENTENCES, 3)) + item.approval_served + item.deliverable,
                category=item.category,
                region=chance.choice(places),
                limit_wd=chance.randint(1, 45),
                price_fen=chance.randint(20, 4000) * 10_000,
                rating=chance.randint(300, 500),
                on_time=chance.randint(600, 1000),
                quality=chance.randint(1000, 1350),
                ordinal=int(NOW.timestamp()) * 1000 + number,
            )
        )
    return made


def questions(documents: list[Document], each: int) -> dict[str, list[SearchQuery]]:
    """Varied questions by class, cut out of the documents themselves."""
    chance = random.Random(9)

    def piece(size: int) -> str:
        while True:
            run = chance.choice(query_words(chance.choice(documents).title).runs)
            if len(run) >= size:
                start = chance.randrange(len(run) - size + 1)
                return run[start : start + size]

    def several(make: Callable[[], SearchQuery]) -> list[SearchQuery]:
        return [make() for _ in range(each)]

    def filters() -> Filters:
        return Filters(
            categories=(chance.choice(documents).category or "",),
            regions=(chance.choice(("320100", "320500", "320102")),),
            max_limit_wd=chance.choice((5, 10, 20)),
        )

    return {
        "a one term": several(lambda: SearchQuery(piece(2))),
        "b 2-3 terms": several(lambda: SearchQuery(f"{piece(2)} {chance.choice(('服务', '评审', '成果'))}")),
        "c term + filters": several(lambda: SearchQuery(piece(2), filters())),
        "d term + 3 facets": several(lambda: SearchQuery(piece(2), Filters(max_limit_wd=20), FACETS)),
        "e sorted by price": several(lambda: SearchQuery(piece(3), sort=Sort.PRICE)),
        "f1 prefix": several(lambda: SearchQuery(piece(1))),
        "f2 misspelt": several(lambda: SearchQuery(piece(3) + "龘")),
        "g browse + 3 facets": several(
            lambda: SearchQuery("", Filters(max_limit_wd=chance.choice((5, 10, 20, 30))), FACETS, Sort.RATING)
        ),
    }


Ask = Callable[[SearchQuery], object]


def ours(index: WhooshIndex) -> Ask:
    """Our executor, past its cache of answers."""
    executor = index._current()  # noqa: SLF001 - past the cache on purpose
    return executor.search


def stock_whoosh(folder: Path, documents: list[Document]) -> Ask:
    """The library as its manual says: an index of the same terms, queries by its own matchers."""
    from whoosh import analysis, fields, query, sorting
    from whoosh.index import create_in

    schema = fields.Schema(
        text=fields.TEXT(analyzer=analysis.SpaceSeparatedTokenizer(), phrase=False),
        category=fields.ID(sortable=True),
        region=fields.NUMERIC(signed=True, sortable=True),
        city=fields.NUMERIC(signed=True, sortable=True),
        days=fields.NUMERIC(signed=True, sortable=True),
        price=fields.NUMERIC(signed=True, sortable=True),
        rating=fields.NUMERIC(signed=True, sortable=True),
    )
    folder.mkdir()
    writer = create_in(str(folder), schema).writer(limitmb=256)
    for d in documents:
        region = int(d.region or 0)
        writer.add_document(
            text=_terms(d),
            category=d.category,
            region=region,
            city=region // 100,
            days=d.limit_wd,
            price=d.price_fen,
            rating=d.rating,
        )
    writer.commit()
    from whoosh.index import open_dir

    searcher = open_dir(str(folder)).searcher()

    def ask(q: SearchQuery) -> object:
        parts: list[object] = []
        for run in query_words(q.text).runs:
            if len(run) == 1:
                parts.append(query.Prefix("text", run))
            else:
                parts += [query.Term("text", run[i : i + 2]) for i in range(len(run) - 1)]
        f = q.filters
        narrow: list[object] = [query.Term("category", c) for c in f.categories]
        narrow += [query.NumericRange("city", int(r) // 100, int(r) // 100) for r in f.regions]
        if f.max_limit_wd is not None:
            narrow.append(query.NumericRange("days", 0, f.max_limit_wd))
        facets = sorting.Facets() if q.facets else None
        if facets is not None:
            for name in ("category", "city", "days"):
                facets.add_field(name)
        return searcher.search(
            query.And(parts) if parts else query.Every(),
            limit=20,
            filter=query.And(narrow) if narrow else None,
            groupedby=facets,
            sortedby={Sort.PRICE: "price", Sort.RATING: "rating"}.get(q.sort),
        )

    return ask


def sqlite_fts(documents: list[Document]) -> Ask:
    """SQLite FTS5 over the same terms, filters and counts in SQL."""
    base = sqlite3.connect(":memory:")
    base.execute("CREATE VIRTUAL TABLE words USING fts5(text, content='', tokenize='unicode61')")
    base.execute(
        "CREATE TABLE facts (id INTEGER PRIMARY KEY, category TEXT, city INT, days INT, price INT, rating INT)"
    )
    for number, d in enumerate(documents, 1):
        base.execute("INSERT INTO words (rowid, text) VALUES (?, ?)", (number, _terms(d)))
        row = (number, d.category, int(d.region or 0) // 100, d.limit_wd, d.price_fen, d.rating)
        base.execute("INSERT INTO facts VALUES (?, ?, ?, ?, ?, ?)", row)
    base.commit()

    def ask(q: SearchQuery) -> object:
        words = []
        for run in query_words(q.text).runs:
            words += [f'"{run}"*'] if len(run) == 1 else [f'"{run[i : i + 2]}"' for i in range(len(run) - 1)]
        source = "words JOIN facts ON facts.id = words.rowid" if words else "facts"
        tests, values = (["words MATCH ?"], [" AND ".join(words)]) if words else (["1"], [])
        for category in q.filters.categories:
            tests.append("category = ?")
            values.append(category)
        for region in q.filters.regions:
            tests.append("city = ?")
            values.append(str(int(region) // 100))
        if q.filters.max_limit_wd is not None:
            tests.append(f"days <= {int(q.filters.max_limit_wd)}")
        where = " AND ".join(tests)
        order = {Sort.PRICE: "price", Sort.RATING: "rating DESC"}.get(q.sort, "bm25(words)" if words else "id")
        found = base.execute(
            f"SELECT facts.id FROM {source} WHERE {where} ORDER BY {order} LIMIT 20", values
        ).fetchall()
        total = base.execute(f"SELECT count(*) FROM {source} WHERE {where}", values).fetchone()
        counts = [
            base.execute(f"SELECT {name}, count(*) FROM {source} WHERE {where} GROUP BY 1", values).fetchall()
            for name in (("category", "city", "days") if q.facets else ())
        ]
        return found, total, counts

    return ask


def _terms(document: Document) -> str:
    return " ".join(document_terms(f"{document.title} {document.title} {document.names} {document.text}"))


def measure(
    engines: dict[str, Ask], asked: dict[str, list[SearchQuery]], slow: int
) -> dict[str, dict[str, tuple[float, float]]]:
    """CPU ms per query, (mean, p95), by class and engine; the engines take turns query by query."""
    spent: dict[str, dict[str, list[float]]] = {kind: {name: [] for name in engines} for kind in asked}
    for kind, queries in asked.items():
        for number, query in enumerate(queries):
            for name, ask in engines.items():
                if name != "ours" and (number >= slow or (kind.startswith("f2"))):
                    continue
                began = time.process_time()
                ask(query)
                spent[kind][name].append((time.process_time() - began) * 1000)
    return {
        kind: {name: (statistics.mean(v), sorted(v)[int(0.95 * len(v))]) for name, v in by.items() if v}
        for kind, by in spent.items()
    }


def main(arguments: list[str] | None = None) -> None:
    """Build the three, measure, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listings", type=int, default=20_000)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--slow", type=int, default=40, help="questions for the slower peers")
    parser.add_argument("--alone", action="store_true", help="our index only")
    options = parser.parse_args(arguments)
    documents = corpus(options.listings)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        began = time.process_time()
        WhooshIndex(folder / "ours").rebuild(documents)
        built = time.process_time() - began
        index = WhooshIndex(folder / "ours")
        began = time.perf_counter()
        index.generation()
        opened = (time.perf_counter() - began) * 1000
        size = sum(p.stat().st_size for p in (folder / "ours").glob("build-*/snapshot/*")) / 1e6
        print(
            f"{len(documents)} documents: built in {built:.1f} s of CPU, opened in {opened:.1f} ms, mapped {size:.1f} MB"
        )
        engines: dict[str, Ask] = {"ours": ours(index)}
        if not options.alone:
            engines["stock Whoosh"] = stock_whoosh(folder / "stock", documents)
            engines["SQLite FTS5"] = sqlite_fts(documents)
        table = measure(engines, questions(documents, options.queries), options.slow)
    print("| class, CPU ms mean (p95) | " + " | ".join(engines) + " |")
    print("|---" * (len(engines) + 1) + "|")
    for kind, row in table.items():
        cells = [f"{row[n][0]:.2f} ({row[n][1]:.2f})" if n in row else "-" for n in engines]
        print(f"| {kind} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
