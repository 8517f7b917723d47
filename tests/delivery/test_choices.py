"""Pasted addresses, promises, what each part may see: rules without a database."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.kernel.calendar import WorkCalendar
from delivery import addresses, places, privacy, promises
from delivery.addresses import parse
from delivery.privacy import Field, Sight, Window
from delivery.promises import Area, Promise
from delivery.states import ParcelState, Part

NOW = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
GAZETTEER = places.gazetteer()


@pytest.mark.parametrize(
    ("text", "name", "mobile", "code", "address"),
    [
        ("李晓燕 139-1234-5678 浙江宁波海曙区中山西路2号1幢301室", "李晓燕", "13912345678", "330203", "中山西路2号1幢301室"),
        ("浙江省宁波市海曙区中山西路2号，李晓燕，13912345678", "李晓燕", "13912345678", "330203", "中山西路2号"),
        ("收货人：王芳\n手机号码：+86 138 0013 8000\n所在地区：北京市北京市朝阳区\n详细地址：建国路88号A座1801", "王芳",
         "13800138000", "110105", "建国路88号A座1801"),
        ("张三13612345678江苏省苏州市昆山市前进东路1号", "张三", "13612345678", "320583", "前进东路1号"),
        ("昆山市前进东路1号 张三 13612345678", "张三", "13612345678", "320583", "前进东路1号"),
        ("欧阳娜娜 １３９１２３４５６７８ 广东东莞市莞城街道东纵路208号", "欧阳娜娜", "13912345678", "441900", "莞城街道东纵路208号"),
        ("13912345678 重庆渝中区解放碑步行街1号 买买提·吐尔逊", "买买提·吐尔逊", "13912345678", "500103", "解放碑步行街1号"),
        ("𠮷野 13912345678 吉林省吉林市船营区解放大路1号", "𠮷野", "13912345678", "220204", "解放大路1号"),
        ("John Smith, 13912345678, 湖北省仙桃市沔阳大道1号", "John Smith", "13912345678", "429004", "沔阳大道1号"),
        ("中山西路2号", "", "", "", "中山西路2号"),
        ("浙江省杭州市西湖大道1号 赵敏", "赵敏", "", "330100", "西湖大道1号"),
        ("江苏南京市玄武区北京东路41号", "", "", "320102", "北京东路41号"),
        ("", "", "", "", ""),
    ],
)  # fmt: skip
def test_a_pasted_line_is_taken_apart(text: str, name: str, mobile: str, code: str, address: str) -> None:
    found = parse(text, GAZETTEER)
    assert (found.name, found.mobile, found.code, found.address) == (name, mobile, code, address)


@settings(max_examples=60)
@given(st.text(max_size=120))
def test_no_text_breaks_the_parser(text: str) -> None:
    found = parse(text, GAZETTEER)
    assert found.mobile == "" or len(found.mobile) == 11
    assert not found.path or GAZETTEER.codes[found.path] == found.code


COUNTIES = sorted((code, path) for path, code in GAZETTEER.codes.items() if len(path) == 3 and "直辖" not in path[1])


@given(st.sampled_from(COUNTIES))
def test_every_county_is_found_by_its_full_names(county: tuple[str, tuple[str, ...]]) -> None:
    code, path = county
    found = parse(f"王小明 13912345678 {''.join(path)}人民路8号", GAZETTEER)
    assert (found.code, found.name, found.address) == (code, "王小明", "人民路8号")


def test_a_carriers_candidate_counts_only_where_two_of_its_names_stand_in_the_text() -> None:
    assert addresses.agrees("宁波海曙中山西路2号", ("浙江省", "宁波市", "海曙区"))
    assert not addresses.agrees("中山西路2号", ("浙江省", "宁波市", "海曙区"))
    assert not addresses.agrees("北京路1号", ("北京市", "北京市", "朝阳区")), "one name twice is one name"


# --- promises ---

HALL = ("浙江省", "杭州市", "上城区")


@pytest.fixture(scope="module")
def calendar() -> WorkCalendar:
    return WorkCalendar()


@pytest.mark.parametrize(
    ("receiver", "code", "days"),
    [
        (("浙江省", "杭州市", "西湖区"), "330106", 1),
        (("浙江省", "宁波市", "海曙区"), "330203", 2),
        (("江苏省", "南京市", "玄武区"), "320102", 3),
        (("西藏自治区", "拉萨市", "城关区"), "540102", 7),
        (("台湾省",), "710000", None),
    ],
)
def test_the_narrowest_entry_counts(receiver: tuple[str, ...], code: str, days: int | None) -> None:
    table = {"540000": Promise(7, 3000)}
    assert promises.promise_for(table, HALL, receiver, code).days == days


def test_a_county_overrides_its_city_and_that_its_province() -> None:
    table = {"330000": Promise(4, 1), "330200": Promise(5, 2), "330203": Promise(6, 3)}
    assert promises.promise_for(table, HALL, ("浙江省", "宁波市", "海曙区"), "330203").days == 6
    assert promises.promise_for(table, HALL, ("浙江省", "宁波市", "江北区"), "330205").days == 5
    assert promises.promise_for(table, HALL, ("浙江省", "温州市", "鹿城区"), "330302").days == 4


def test_a_municipality_is_its_own_city() -> None:
    assert promises.area_of(("上海市", "黄浦区"), ("上海市", "上海市", "浦东新区")) is not Area.ELSEWHERE
    assert promises.area_of((), ("上海市", "浦东新区")) is Area.ELSEWHERE


@pytest.mark.parametrize(
    ("ready", "leaves"),
    [
        (datetime(2026, 3, 2, 16, 0), date(2026, 3, 2)),
        (datetime(2026, 3, 2, 16, 1), date(2026, 3, 3)),
        (datetime(2026, 3, 6, 17, 0), date(2026, 3, 9)),
        (datetime(2026, 3, 7, 9, 0), date(2026, 3, 9)),
        (datetime(2026, 4, 30, 17, 0), date(2026, 5, 6)),
    ],
)
def test_what_misses_the_cutoff_leaves_on_the_next_working_day(ready: datetime, leaves: date) -> None:
    moment = ready.replace(tzinfo=promises.BEIJING)
    calendar = WorkCalendar()
    assert promises.leaves_on(moment, "16:00", calendar) == leaves
    assert promises.arrives_on(moment, "16:00", Promise(2, 0), calendar) == leaves + timedelta(days=2)
    assert promises.arrives_on(moment, "16:00", Promise(None, 0), calendar) is None


@pytest.mark.parametrize(
    ("windows", "sound"),
    [
        ([("10:00", "10:30"), ("16:00", "17:00")], True),
        ([], False),
        ([("10:30", "10:00")], False),
        ([("10:00", "11:00"), ("10:30", "12:00")], False),
        ([("10:00", "24:00")], False),
        ([("10:00",)], False),
    ],
)
def test_windows_are_times_in_order(windows: list[tuple[str, ...]], sound: bool) -> None:
    assert promises.sound_windows(windows) is sound


# --- privacy ---

FULL, MASKED, NOTHING = Sight.FULL, Sight.MASKED, Sight.NOTHING
ACTIVE = Window(ParcelState.HANDED_OVER, None)
FRESH = Window(ParcelState.DELIVERED, NOW - timedelta(days=29))
OLD = Window(ParcelState.CLOSED, NOW - timedelta(days=30))
EARLY = Window(ParcelState.CREATED, None)


@pytest.mark.parametrize(
    ("part", "window", "name", "mobile", "address", "code"),
    [
        (Part.APPLICANT, EARLY, FULL, FULL, FULL, FULL),
        (Part.APPLICANT, OLD, FULL, FULL, FULL, FULL),
        (Part.POST, EARLY, MASKED, MASKED, MASKED, NOTHING),
        (Part.POST, ACTIVE, FULL, MASKED, FULL, NOTHING),
        (Part.POST, FRESH, FULL, MASKED, FULL, NOTHING),
        (Part.POST, OLD, MASKED, MASKED, MASKED, NOTHING),
        (Part.HALL, ACTIVE, FULL, MASKED, FULL, NOTHING),
        (Part.HALL, OLD, MASKED, MASKED, MASKED, NOTHING),
        (Part.SUPERVISOR, ACTIVE, FULL, FULL, FULL, NOTHING),
        (Part.SUPERVISOR, OLD, MASKED, MASKED, MASKED, NOTHING),
        (Part.OPERATOR, ACTIVE, MASKED, MASKED, MASKED, NOTHING),
        (None, ACTIVE, MASKED, MASKED, MASKED, NOTHING),
    ],
)
def test_every_field_for_every_part_at_every_time(
    part: Part | None, window: Window, name: Sight, mobile: Sight, address: Sight, code: Sight
) -> None:
    held = {part} if part else set()
    seen = {each: privacy.sight_of(held, each, window, NOW, 30) for each in Field}
    assert seen == {Field.NAME: name, Field.MOBILE: mobile, Field.ADDRESS: address, Field.CODE: code}


def test_the_retention_period_is_counted_from_the_end() -> None:
    assert not privacy.may_erase(ACTIVE, NOW, 0)
    assert not privacy.may_erase(Window(ParcelState.CLOSED, NOW - timedelta(days=179, hours=23)), NOW, 180)
    assert privacy.may_erase(Window(ParcelState.CLOSED, NOW - timedelta(days=180)), NOW, 180)
