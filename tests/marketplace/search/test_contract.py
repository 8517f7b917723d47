"""The contract of a search index, held against brute force; the known traps of the library beneath are among the questions."""

import itertools
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from marketplace.search import (
    Change,
    Document,
    Facet,
    Filters,
    IndexBusyError,
    IndexUnavailableError,
    Kind,
    SearchQuery,
    Sort,
    WhooshIndex,
)
from marketplace.search.analysis import highlight
from tests.marketplace.search.brute_force import BruteForce

SERVICES = (
    ("建设项目环境影响报告书编制", "environment"),
    ("建设项目环境影响报告表编制", "environment"),
    ("地质灾害危险性评估", "natural_resources"),
    ("建设用地勘测定界", "mapping"),
    ("房产测绘（预测、实测）", "mapping"),
    ("水土保持方案编制", "water"),
    ("工程造价咨询（概算、预算、控制价）", "cost"),
    ("使用林地可行性报告/现状调查", "natural_resources"),
)
REGIONS = ("320000", "320100", "320102", "320104", "320500", "320505", "320581", None)
NAMES = ("苏诚测绘有限公司", "宁信环境技术有限公司", "淮安恒达工程咨询有限公司", "GB Testing Laboratory")


def _market(count: int, seed: int = 7) -> list[Document]:
    chance = random.Random(seed)
    made = []
    for n in range(count):
        title, category = chance.choice(SERVICES)
        made.append(
            Document(
                kind=chance.choice((Kind.LISTING, Kind.LISTING, Kind.LISTING, Kind.NOTICE)),
                id=UUID(int=chance.getrandbits(128)),
                title=title,
                names=chance.choice(NAMES),
                text=chance.choice(
                    ("按期提交报告，含专家评审。", "符合 GB50180 标准", "外业测量与成果审查，全过程服务。")
                ),
                category=chance.choice((category, category, None)),
                region=chance.choice(REGIONS),
                limit_wd=chance.choice((None, 3, 5, 8, 10, 15, 20, 31)),
                price_fen=chance.choice((None, 0, 499_999, 500_000, 1_500_000, 9_999_999, 10_000_000)),
                price_mode=chance.choice((None, "fixed", "from", "negotiable")),
                grade=chance.choice((None, "A", "B", "C", "D")),
                rating=chance.choice((None, 300, 399, 400, 450, 500)),
                on_time=chance.choice((None, 0, 700, 1000)),
                quality=chance.choice((1000, 1150, 1300)),
                ordinal=n,
            )
        )
    return made


@pytest.fixture(scope="module")
def market() -> list[Document]:
    return _market(150)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory, market: list[Document]) -> Iterator[WhooshIndex]:
    made = WhooshIndex(tmp_path_factory.mktemp("index"))
    made.rebuild(market)
    yield made


TEXTS = (
    "",
    "环境",
    "環境影響",
    "环境影响报告书",
    "测绘",
    "测",
    "书",
    "gb",
    "GB50180",
    "g",
    "工程 咨询",
    "报告 测量",
    "没有这个词",
    "地质灾害危险性评估",
    "NOT OR 测绘",
    "测*",
    "[测 TO 绘]",
)
FILTERS = (
    Filters(),
    Filters(kinds=(Kind.LISTING,)),
    Filters(kinds=(Kind.AGENCY,)),
    Filters(categories=("mapping", "water")),
    Filters(categories=("no-such",)),
    Filters(regions=("320100",)),
    Filters(regions=("320102", "320500")),
    Filters(regions=("320000",)),
    Filters(max_limit_wd=5),
    Filters(max_limit_wd=0),
    Filters(min_price_fen=500_000, max_price_fen=9_999_999),
    Filters(max_price_fen=0),
    Filters(min_price_fen=0),
    Filters(min_rating=400, min_on_time=700),
    Filters(price_modes=("fixed", "negotiable")),
    Filters(grades=("A",)),
    Filters(grades=("A", "B"), price_modes=("from",), min_ordinal=75),
    Filters(grades=("Z",)),
    Filters(min_ordinal=149),
    Filters(
        kinds=(Kind.LISTING,),
        categories=("environment",),
        regions=("320100",),
        max_limit_wd=15,
        max_price_fen=3_000_000,
        min_rating=300,
    ),
)


@pytest.mark.parametrize("text", TEXTS)
def test_totals_order_and_facets_equal_brute_force(index: WhooshIndex, market: list[Document], text: str) -> None:
    brute = BruteForce(market)
    if text and not brute.scored(text):
        return  # a misspelling: asked below
    asked = [(filters, Sort.RELEVANCE) for filters in FILTERS] + list(itertools.product((Filters(), FILTERS[-1]), Sort))
    for filters, sort in asked:
        query = SearchQuery(text, filters, tuple(Facet), sort, 0, 500)
        page = index.search(query)
        wanted = brute.ids(query)
        assert page.total == len(wanted), (filters, sort)
        assert [hit.id for hit in page.hits] == wanted, (filters, sort)
        for facet in Facet:
            counted = {value.value: value.count for value in page.facets[facet] if value.count}
            assert counted == brute.count(query, facet), (filters, facet)


def test_pages_are_slices_of_one_order(index: WhooshIndex, market: list[Document]) -> None:
    whole = [h.id for h in index.search(SearchQuery("报告", limit=500)).hits]
    pieces = [
        h.id
        for start in range(0, len(whole) + 7, 7)
        for h in index.search(SearchQuery("报告", offset=start, limit=7)).hits
    ]
    assert pieces == whole
    assert len(set(whole)) == len(whole) > 20
    assert index.search(SearchQuery("报告", offset=10_000)).hits == ()
    assert index.search(SearchQuery("报告", limit=0)).total == len(whole)


def test_several_segments_answer_like_one(tmp_path: Path) -> None:
    market = _market(90, seed=3)
    index = WhooshIndex(tmp_path / "i")
    index.rebuild(market[:60])
    for start in (60, 70, 80):
        index.apply(Change(d.kind, d.id, d) for d in market[start : start + 10])
    gone = market[5:20]
    index.apply(Change(d.kind, d.id, None) for d in gone)
    assert index.health().segments > 1
    left = [d for d in market if d not in gone]
    brute = BruteForce(left)
    brute.average = BruteForce(market[:60]).average  # fixed when the index was built
    for text, filters in itertools.product(("环境影响", "测", "工程", ""), FILTERS):
        query = SearchQuery(text, filters, tuple(Facet), limit=500)
        page = index.search(query)
        assert page.total == len(brute.ids(query)), (text, filters)
        assert [h.id for h in page.hits] == brute.ids(query), (text, filters)


def test_the_last_change_of_an_id_counts_and_a_repeat_changes_nothing(tmp_path: Path) -> None:
    index = WhooshIndex(tmp_path / "i")
    index.rebuild(_market(10))
    document = Document(Kind.LISTING, uuid4(), "噪声专项评价", ordinal=1)
    batch = [
        Change(Kind.LISTING, document.id, document),
        Change(Kind.LISTING, document.id, replace(document, title="声环境专项评价")),
    ]
    for _ in range(3):
        index.apply(batch)
        assert index.generation().documents == 11
    assert index.search(SearchQuery("声环境专项")).total == 1
    assert index.search(SearchQuery("噪声专项")).corrected is None
    assert next(h.id for h in index.search(SearchQuery("声环境")).hits) == document.id
    index.apply([*batch, Change(Kind.LISTING, document.id, None)])
    assert index.generation().documents == 10


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> WhooshIndex:
    made = WhooshIndex(tmp_path_factory.mktemp("names"))
    titles = [(Kind.ITEM, title) for title, _ in SERVICES] + [
        (Kind.AGENCY, "六合区长江测绘院"),
        (Kind.AGENCY, "绿源检测有限公司"),
    ]
    made.rebuild(Document(kind, UUID(int=n + 1), title, ordinal=n) for n, (kind, title) in enumerate(titles))
    return made


@pytest.mark.parametrize(
    ("typed", "title"),
    [
        ("huanjing", "建设项目环境影响报告书编制"),
        ("huanjingyingxiang", "建设项目环境影响报告书编制"),
        ("huanj", "建设项目环境影响报告书编制"),
        ("hjyx", "建设项目环境影响报告书编制"),
        ("dzzh", "地质灾害危险性评估"),
        ("luhe", "六合区长江测绘院"),
        ("changjiang", "六合区长江测绘院"),
        ("lvyuan", "绿源检测有限公司"),
        ("環境影響", "建设项目环境影响报告书编制"),
        ("环竟影响", "建设项目环境影响报告书编制"),
        ("地质灾害危险性平估", "地质灾害危险性评估"),
        ("hunajing", "建设项目环境影响报告书编制"),
    ],
)
def test_pinyin_initials_traditional_and_misspelt(names: WhooshIndex, typed: str, title: str) -> None:
    ids = {hit.id for hit in names.search(SearchQuery(typed)).hits}
    wanted = {s.id for s in names.suggest(title, 20) if s.text == title}
    assert wanted <= ids
    assert title in {s.text for s in names.suggest(typed, 20)} or typed == "hunajing"


def test_a_correction_says_so_and_a_hopeless_query_finds_nothing(names: WhooshIndex) -> None:
    assert names.search(SearchQuery("环竟影响")).corrected == "环境影响"
    assert names.search(SearchQuery("环境影响")).corrected is None
    page = names.search(SearchQuery("卫星发射"))
    assert (page.total, page.hits, page.corrected) == (0, (), None)


def test_suggestions_begin_with_items_and_are_capped(names: WhooshIndex) -> None:
    found = names.suggest("建设", 2)
    assert [s.kind for s in found] == [Kind.ITEM, Kind.ITEM]
    assert [s.text for s in names.suggest("测绘", 10)] == ["房产测绘（预测、实测）", "六合区长江测绘院"]
    assert names.suggest("", 10) == ()
    assert names.suggest("测绘", 0) == ()


def test_every_part_of_a_name_finds_it(names: WhooshIndex) -> None:
    for number, (title, _) in enumerate(SERVICES):
        for start, size in itertools.product(range(len(title) - 1), (2, 3, 4)):
            part = title[start : start + size]
            if part.isalnum():
                assert UUID(int=number + 1) in {h.id for h in names.search(SearchQuery(part)).hits}, part


def test_marks_are_shown_on_the_text_as_written() -> None:
    spans = highlight("環境影響報告書（ＧＢ50180）", ("环境影响", "gb", "50180"))
    assert [(s.text, s.is_match) for s in spans] == [
        ("環境影響", True),
        ("報告書（", False),
        ("ＧＢ50180", True),
        ("）", False),
    ]
    assert highlight("测绘", ()) == ((("测绘", False)),)
    assert highlight("", ("测",)) == ()


def test_hostile_queries_are_only_words(index: WhooshIndex) -> None:
    for text in ("*" * 500, "a" * 10_000, "测绘 " * 500, "\x00\ud83d", "()[]{}\\\"'~^:", "测绘' OR 1=1 --", "🙂🙂"):
        page = index.search(
            SearchQuery(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"), facets=tuple(Facet))
        )
        assert page.total >= 0


# one writer, any number of readers, and accidents


def test_a_reader_sees_a_new_generation_within_a_second(tmp_path: Path) -> None:
    moment = [0.0]
    writer = WhooshIndex(tmp_path / "i")
    writer.rebuild(_market(5))
    reader = WhooshIndex(tmp_path / "i", monotonic=lambda: moment[0])
    assert reader.generation().number == 1
    document = Document(Kind.LISTING, uuid4(), "噪声专项评价")
    writer.apply([Change(Kind.LISTING, document.id, document)])
    moment[0] = 0.9
    assert reader.generation().number == 1
    moment[0] = 1.1
    assert reader.generation().number == 2
    assert reader.search(SearchQuery("噪声专项")).hits[0].id == document.id


def test_only_one_writes(tmp_path: Path) -> None:
    index = WhooshIndex(tmp_path / "i")
    index.rebuild(_market(5))
    with index._as_writer(), pytest.raises(IndexBusyError):
        WhooshIndex(tmp_path / "i").apply([])
    assert index.apply([]).documents == 5


def test_before_the_first_build_it_says_so(tmp_path: Path) -> None:
    index = WhooshIndex(tmp_path / "none")
    with pytest.raises(IndexUnavailableError):
        index.search(SearchQuery("测绘"))
    health = index.health()
    assert (health.is_ready, health.reason) == (False, "there is no readable index")


@pytest.mark.parametrize("damage", ["manifest", "other-version", "snapshot-short", "snapshot-gone", "whoosh-gone"])
def test_damage_is_noticed_and_healed_by_a_rebuild(tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "i"
    market = _market(30)
    WhooshIndex(folder).rebuild(market)
    build = next(folder.glob("build-*"))
    snapshot = next((build / "snapshot").glob("*.bin"))
    if damage == "manifest":
        (folder / "manifest.json").write_text("{", encoding="utf-8")
    elif damage == "other-version":
        (folder / "manifest.json").write_text('{"format": 0}', encoding="utf-8")
    elif damage == "snapshot-short":
        snapshot.write_bytes(snapshot.read_bytes()[:-64])
    elif damage == "snapshot-gone":
        snapshot.unlink()
    else:
        for path in (build / "whoosh").iterdir():
            path.unlink()
    index = WhooshIndex(folder)
    if damage == "whoosh-gone":  # readers never need it; the writer notices
        assert index.search(SearchQuery("")).total == 30
    else:
        with pytest.raises(IndexUnavailableError):
            index.search(SearchQuery(""))
    with pytest.raises(IndexUnavailableError):
        index.apply([Change(Kind.LISTING, market[0].id, None)])
        index.search(SearchQuery(""))
    assert index.rebuild(market).documents == 30
    assert index.verify()
    assert index.search(SearchQuery("")).total == 30


def test_a_silent_change_of_a_byte_is_found_by_the_check(tmp_path: Path) -> None:
    folder = tmp_path / "i"
    index = WhooshIndex(folder)
    index.rebuild(_market(30))
    assert index.verify()
    snapshot = next(folder.glob("build-*/snapshot/*.bin"))
    content = bytearray(snapshot.read_bytes())
    content[-100] ^= 1
    snapshot.write_bytes(content)
    assert not index.verify()


def test_a_rebuild_leaves_one_build_and_an_open_reader_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "i"
    market = _market(30)
    writer = WhooshIndex(folder)
    writer.rebuild(market)
    reader = WhooshIndex(folder, monotonic=lambda: 0.0)
    assert reader.search(SearchQuery("")).total == 30
    writer.rebuild(market[:10])
    assert len(list(folder.glob("build-*"))) == 1
    assert reader.search(SearchQuery("", limit=3)).total == 30  # the mapped files live as long as somebody reads them
    assert WhooshIndex(folder).generation().number == 2


def test_a_failing_source_leaves_the_old_index_in_place(tmp_path: Path) -> None:
    index = WhooshIndex(tmp_path / "i")
    index.rebuild(_market(10))

    def source() -> Iterator[Document]:
        yield from _market(3)
        raise RuntimeError("the database went away")

    with pytest.raises(RuntimeError):
        index.rebuild(source())
    assert index.generation().documents == 10
