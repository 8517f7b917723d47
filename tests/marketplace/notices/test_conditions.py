"""The conditions checker: real phrases of notices, those that shut agencies out and those that only look like it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.rules.notices.conditions import THRESHOLDS, hidden_thresholds, unjustified

SHUT_OUT = [
    ("local-branch", "投标人须在本市设有分公司或固定办事处。"),
    ("local-branch", "供应商应在南京市内具有固定办公场所"),
    ("local-branch", "在当地设有常驻服务机构的优先"),
    ("local-branch", "The agency must have a local branch."),
    ("local-branch", "中介机构须在本 市 设有分 公 司"),
    ("local-branch", "须在本市设有分\u200b支\u200b机构"),
    ("local-registration", "仅限本市企业报名"),
    ("local-registration", "须为本省注册的独立法人"),
    ("local-registration", "注册地须在江宁区"),
    ("local-record", "须在本市住建局备案"),
    ("local-record", "须提供当地主管部门出具的备案登记证明"),
    ("local-record", "已纳入区财政局中介机构备选库的单位"),
    ("local-performance", "近三年具有本市同类项目业绩不少于2个"),
    ("local-performance", "获得本省优秀测绘奖项的加分"),
    ("membership", "须为江苏省测绘学会会员单位"),
    ("membership", "应加入中国工程造价管理协会"),
    ("membership", "Proof of membership in the surveyors' association"),
    ("deposit", "报名时须缴纳保证金5000元"),
    ("deposit", "参选单位递交投标保证金贰万元"),
    ("deposit", "中选后交纳履约保证金10%"),
    ("deposit", "须缴 纳 诚 意 金"),
    ("annual-fee", "入选机构每年缴纳年费三千元"),
    ("annual-fee", "标书工本费500元,售后不退"),
    ("designation", "由建设局指定的检测机构出具报告"),
    ("designation", "须使用南方牌号品牌的测量仪器"),
    ("designation", "必须委托江北规划设计研究院编制"),
    ("capital", "注册资本不低于500万元"),
    ("capital", "注册资金 5００ 万元以上"),
    ("capital", "Registered capital of at least 5 million yuan"),
    ("size", "上年度营业收入不少于2000万元"),
    ("size", "公司成立满五年"),
    ("ownership", "仅限国有企业参加"),
    ("ownership", "不接受民营企业"),
    ("in-person", "报名材料须现场递交"),
    ("in-person", "法定代表人须亲自到场"),
]

ALLOWED = [
    "完成 1.2 平方公里 1:500 地形测量并提交成果报告。",
    "不得要求在本地设立分支机构。",
    "本项目不收取投标保证金。",
    "无需缴纳任何保证金或押金",
    "报名免费,不收取报名费。",
    "编制农民工工资保证金监管方案",
    "对企业会计准则下的注册资本进行说明",
    "项目位于南京市江宁区秣陵街道,涉及本地地形地貌调查",
    "须具有测绘乙级及以上资质证书",
    "成果须通过省自然资源厅组织的评审",
    "对城市品牌策划方案进行论证",
    "服务期内到现场踏勘不少于三次",
    "成果报告须在建设主管部门备案时一次通过",
    "水土保持方案编制,含现场调查",
    "项目负责人须为注册测绘师",
    "对所在地块的土壤取样检测",
    "不以注册资本、营业收入作为条件",
    "本项目不设本地业绩要求",
    "Topographic survey of 1.2 square kilometres; the office review is included.",
]


@pytest.mark.parametrize(("code", "text"), SHUT_OUT)
def test_a_phrase_that_shuts_agencies_out_is_named_with_reason_and_rule(code: str, text: str) -> None:
    found = hidden_thresholds({"content": text})
    assert code in {one.code for one in found}, found
    one = next(one for one in found if one.code == code)
    assert one.phrase in text
    assert one.field == "content"
    assert one.kind.why
    assert "〔" in one.kind.basis or "《" in one.kind.basis


@pytest.mark.parametrize("text", ALLOWED)
def test_an_ordinary_phrase_is_left_alone(text: str) -> None:
    assert hidden_thresholds({"content": text}) == ()


def test_every_kind_is_met_by_an_example() -> None:
    assert {kind.code for kind in THRESHOLDS} == {code for code, _ in SHUT_OUT}


def test_a_phrase_is_found_once_and_needs_its_own_reason() -> None:
    text = "报名费200元。报名费200元。注册资本不低于500万元"
    found = hidden_thresholds({"content": text, "scale": "报名费200元"})
    assert [(one.code, one.field) for one in found] == [("annual-fee", "content"), ("capital", "content")]
    reasons = {found[0].key: "平台代收公证费,依据物价批复", found[1].key: "  "}
    assert unjustified(found, reasons) == (found[1],)
    assert unjustified(found, {one.key: "有依据" for one in found}) == ()


def test_a_changed_phrase_is_a_new_one_but_blanks_are_not() -> None:
    def key(text: str) -> str:
        return hidden_thresholds({"content": text})[0].key

    assert key("注册资本不低于500万元") == key("注册资本 不低于 500万元")
    assert key("投标保证金") != key("履约保证金")


@given(st.sampled_from(SHUT_OUT), st.data())
def test_blanks_and_invisible_letters_hide_nothing(example: tuple[str, str], data: st.DataObject) -> None:
    code, text = example
    if text.isascii():
        return
    place = data.draw(st.integers(1, len(text) - 1))
    filler = data.draw(st.sampled_from(["\u200b", "\ufeff", "\u3000", "\u00ad"]))
    spread = text[:place] + filler + text[place:]
    assert code in {one.code for one in hidden_thresholds({"content": spread})}


@given(st.text(max_size=300))
def test_any_text_is_read_and_every_phrase_stands_in_it(text: str) -> None:
    for one in hidden_thresholds({"content": text}):
        assert one.phrase
        assert one.phrase in text
