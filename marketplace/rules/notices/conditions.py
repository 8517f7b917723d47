"""Hidden thresholds in the words of a notice (隐性门槛): what shuts agencies out without being a qualification.

Every finding names the phrase, why it shuts agencies out, and the rule that forbids it. A finding is not a verdict: the owner takes
the words out or says why the purchase needs them, and the operator reads that reason at the form check.

Sources: Regulation on Improving the Business Environment (State Council Order 722) arts. 13 and 43; Regulation on Fair Competition
Review (Order 783) art. 10; Implementing Regulation of the Government Procurement Law art. 20; Measures on small and medium
enterprises in government procurement (财库〔2020〕46号) art. 5; notice on fair competition in government procurement
(财库〔2019〕38号); notices on deposits (国办发〔2016〕49号) and on fees of associations (国办发〔2020〕21号).
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app.kernel.words import N_

_HERE: Final = (
    r"(?:本地(?!形|块|面|下|质|基|籍|貌)|当地|属地|本省|本市|本区|本县|我省|我市|我区|我县|所在地|辖区内|省内|市内|区内|县内|"
    r"(?:在|于)[\u4e00-\u9fff]{1,8}?(?:省|市|区|县))"
)
_SOON: Final = r"[^。；;！？]{0,14}?"
_NEEDS: Final = r"(?:须|需|应|必须|应当|要求|具有|具备|设有|拥有|提供|持有|已|为)"
_MONEY: Final = r"(?:[0-9０-９,，.]+|[一二三四五六七八九十百千]+)(?:万|亿)?元?"


@dataclass(frozen=True)
class Threshold:
    """One kind of hidden threshold. `label` and `why` are message ids; `basis` cites the rule in its own language."""

    code: str
    label: str
    why: str
    basis: str
    pattern: re.Pattern[str]


def _kind(code: str, label: str, why: str, basis: str, *alternatives: str) -> Threshold:
    return Threshold(code, label, why, basis, re.compile("|".join(alternatives), re.IGNORECASE))


THRESHOLDS: Final[tuple[Threshold, ...]] = (
    _kind(
        "local-branch",
        N_("Local branch or office"),
        N_("It shuts out every agency of another place, however able it is."),
        "《公平竞争审查条例》第十条第二项;财库〔2019〕38号",
        _HERE + _SOON + r"(?:分公司|子公司|分支机构|办事处|办事机构|办公场所|办公地点|经营场所|服务网点|服务机构)",
        r"(?:分公司|分支机构|办事处|办公场所)" + r"[^。；;！？]{0,6}?(?:设|位于|在)" + _HERE,
        r"local (?:branch|office|subsidiary)",
        r"(?:branch|office) in (?:the|this) (?:city|county|district|province)",
    ),
    _kind(
        "local-registration",
        N_("Registered in one place only"),
        N_("Where an agency is registered says nothing about its work; markets may not be closed to other places."),
        "《政府采购法实施条例》第二十条第七项;《优化营商环境条例》第十三条",
        _HERE + r"(?:依法)?(?:注册|登记)(?:成立)?(?:的)?(?:企业|公司|机构|单位|法人|独立法人)",
        r"(?:注册地|工商登记地|住所地|税务登记地)(?:址)?[^。；;！？]{0,6}?(?:在|为|位于|须|应)" + _SOON + _HERE,
        r"(?:仅限|只限|限于|限)(?:本地|本省|本市|本区|本县|我市|我县|当地)(?:的)?(?:企业|公司|机构|单位)",
        r"(?:only|must be) (?:locally )?registered in (?:the|this) (?:city|county|district|province)",
    ),
    _kind(
        "local-record",
        N_("Local filing or register"),
        N_(
            "A filing with a local office is no qualification; the agency's certificates are valid in the whole country."
        ),
        "财库〔2019〕38号;《优化营商环境条例》第十三条",
        _HERE + _SOON + r"(?:备案(?!案)|备案登记|登记备案|入库|名录库|资格库|备选库|预选库)",
        r"(?:备案证|备案手册|入库证明|备案登记证)",
        r"(?:已|须|需|应|必须)(?:列入|进入|纳入|入选)[^。；;！？]{0,14}?(?:名录库|资格库|备选库|预选库|供应商库|短名单)",
        r"local (?:filing|record|register)",
    ),
    _kind(
        "local-performance",
        N_("Experience or awards of one place"),
        N_("Experience of one administrative area may not decide; say what the work needs instead."),
        "《政府采购法实施条例》第二十条第四项",
        r"(?:本地|本省|本市|本区|本县|我省|我市|我区|我县|当地|省内|市内|区内|县内)(?:区)?(?:的)?[^。；;！？]{0,8}?"
        r"(?:业绩|类似项目经验|项目经验|服务经验|奖项|获奖|荣誉)",
        r"local (?:experience|track record|references?|awards?)",
    ),
    _kind(
        "membership",
        N_("Membership of an association"),
        N_("Nobody may be made to join an association; membership proves no ability."),
        "国办发〔2020〕21号;《优化营商环境条例》第四十三条",
        r"(?:协会|学会|商会|联合会|联盟)(?:的)?(?:团体|单位|理事|常务理事|副会长|正式|个人)?(?:会员|成员单位|理事单位|会长单位)",
        r"(?:会员单位|理事单位|会员证书?|会员资格)",
        r"(?:加入|参加)[^。；;！？]{0,14}?(?:协会|学会|商会|联盟)(?![^。；;！？]{0,4}(?:组织的|举办的))",
        r"(?:协会|商会|学会)(?:的)?(?:推荐|出具(?:的)?推荐)",
        r"member(?:ship)? (?:of|in) [^.;]{0,30}(?:association|chamber|federation|society)",
    ),
    _kind(
        "deposit",
        N_("Deposit"),
        N_("Agencies apply here without a deposit; the contract and the credit record secure the purchase."),
        "国办发〔2016〕49号;《保障中小企业款项支付条例》",
        r"(?:投标|报名|参选|竞价|响应|诚信|廉政|信誉|履约|服务质量)(?:保证金|押金)",
        r"(?:缴纳|交纳|缴交|提交|支付|递交|预交|交付|缴存|交)[^。；;！？农]{0,10}?(?:保证金|押金|诚意金|风险金)",
        r"(?:bid|tender|security|performance|registration) (?:deposit|bond)",
        r"pay (?:a|the) deposit",
    ),
    _kind(
        "annual-fee",
        N_("Fee for taking part"),
        N_("Taking part is free of charge; no fee may be a condition."),
        "国办发〔2020〕21号;《优化营商环境条例》第四十三条",
        r"(?:缴纳|交纳|支付|缴|交|收取|购买)[^。；;！？]{0,8}?(?:年费|会费|入围费|入库费|平台费|报名费|标书费|资料费|工本费|管理费)",
        r"(?:报名费|标书费|标书工本费|入围费|入库费|招标文件工本费)",
        r"(?:annual|membership|entrance|registration|participation) fee",
    ),
    _kind(
        "designation",
        N_("Designated agency or brand"),
        N_("Nobody may designate an agency, directly or indirectly; name what the work must achieve."),
        "《优化营商环境条例》第四十三条;《政府采购法实施条例》第二十条第六项",
        r"(?:指定|限定|特定|唯一|推荐)(?:的)?(?:由)?(?:中介|服务|检测|评估|评审|测绘|设计|供应|合作)?(?:机构|单位|公司|供应商|服务商)",
        r"(?:指定|限定|必须使用|须使用|只能使用|应使用|须采用|必须采用)[^。；;！？]{0,14}?(?:品牌|牌号|厂家|厂商|型号)",
        r"(?:须|必须|应|只能|一律)(?:委托|交由|由)[\u4e00-\u9fff]{2,20}?(?:公司|研究院|设计院|事务所|中心)(?:承担|实施|编制|完成|办理|出具)",
        r"(?:designated|nominated|appointed) (?:agency|supplier|brand|company)",
    ),
    _kind(
        "capital",
        N_("Registered capital"),
        N_("Registered capital is no measure of ability; it shuts out small agencies."),
        "财库〔2020〕46号第五条",
        r"(?:注册资本|注册资金|实收资本|实缴资本|净资产)(?:金)?[^。；;！？]{0,10}?(?:"
        + _MONEY
        + r"|不少于|不低于|以上|达到|大于|≥)",
        r"registered capital",
        r"paid-?(?:up|in) capital",
    ),
    _kind(
        "size",
        N_("Size of the agency"),
        N_("Turnover, assets, profit, tax and headcount may not be conditions: they shut out small agencies."),
        "财库〔2020〕46号第五条;财库〔2019〕38号",
        r"(?:年?营业(?:额|收入)|年产值|资产总额|总资产|年?利润|纳税(?:额|总额)|从业人员(?:数|总数)?|员工(?:人数|总数))"
        r"[^。；;！？]{0,10}?(?:不少于|不低于|以上|达到|大于|超过|≥)",
        r"(?:成立|注册|经营)(?:时间)?(?:年限)?[^。；;！？]{0,6}?(?:满|不少于|不低于|超过|达到)[^。；;！？]{0,2}?(?:[0-9０-９]+|[一二三四五六七八九十]+)年",
        r"annual (?:turnover|revenue) of at least",
    ),
    _kind(
        "ownership",
        N_("Form of ownership"),
        N_("Every form of ownership has the same right to take part."),
        "《政府采购法实施条例》第二十条第七项;《优化营商环境条例》第十三条",
        r"(?:仅限|只限|限|限于|须为|应为|必须为|必须是|须是|应是)(?:中央|地方)?(?:国有|国资|集体|民营|外资|事业)(?:控股|独资)?(?:企业|单位|公司|性质)",
        r"(?:不接受|不允许|谢绝|排除)(?:民营|私营|个体|外资)(?:企业|公司|工商户)?",
        r"state-?owned (?:enterprises?|companies) only",
    ),
    _kind(
        "in-person",
        N_("Applying in person"),
        N_("Registration is online only; nobody may be made to travel for it."),
        "《优化营商环境条例》第三十七条",
        r"(?:现场|到场|当面|本人)(?:报名|递交|领取|购买|提交)(?:报名)?(?:材料|资料|文件|标书)?",
        r"(?:法定代表人|法人代表|负责人|项目负责人)(?:须|需|必须|应)?(?:本人)?(?:亲自)?(?:到场|到现场|现场报名)",
        r"(?:register|apply|registration) (?:only )?in person",
    ),
)
"""The kinds of hidden thresholds in the order in which they are shown."""

LABELS: Final[Mapping[str, str]] = {kind.code: kind.label for kind in THRESHOLDS}
BY_CODE: Final[Mapping[str, Threshold]] = {kind.code: kind for kind in THRESHOLDS}

_NEGATIONS: Final = re.compile(
    r"(?:不得|不应|不允许|禁止|不要求|不需要?|无需|无须|毋需|免于?|免收|不收取?|不收|不设|不限|不以|不再|不接受以|取消|清退|no|not|without|never)$",
    re.IGNORECASE,
)
_CLAUSE_END: Final = frozenset("。；;！？!?\n，,")
_NEGATION_REACH: Final = 12


@dataclass(frozen=True)
class HiddenThreshold:
    """A phrase of a notice that looks like a hidden threshold. `field` names where it stands, `phrase` is as it was typed."""

    code: str
    field: str
    phrase: str

    @property
    def kind(self) -> Threshold:
        """What is wrong with such a phrase, and by which rule."""
        return BY_CODE[self.code]

    @property
    def key(self) -> str:
        """What a justification refers to: the kind and the phrase without blanks, so that a changed phrase is a new one."""
        return f"{self.code}:{_squeeze(self.phrase)[0]}"


def hidden_thresholds(texts: Mapping[str, str]) -> tuple[HiddenThreshold, ...]:
    """The suspicious phrases of a notice, `texts` by field name; every phrase once, in the order of the text.

    Blanks, full-width forms and invisible characters inside a phrase do not hide it. "No deposit is asked for" is no finding.
    """
    found: dict[str, HiddenThreshold] = {}
    for field, text in texts.items():
        for threshold in _of_one(field, text):
            found.setdefault(threshold.key, threshold)
    return tuple(found.values())


def unjustified(found: tuple[HiddenThreshold, ...], reasons: Mapping[str, str]) -> tuple[HiddenThreshold, ...]:
    """The findings for which `reasons` (by key) says nothing; a notice with one of them is not handed in."""
    return tuple(one for one in found if not reasons.get(one.key, "").strip())


def _of_one(field: str, text: str) -> list[HiddenThreshold]:
    squeezed, places = _squeeze(text)
    hits = []
    for kind in THRESHOLDS:
        for match in kind.pattern.finditer(squeezed):
            if match.end() == match.start() or _is_denied(squeezed, match):
                continue
            start, end = places[match.start()], places[match.end() - 1] + 1
            hits.append((start, HiddenThreshold(kind.code, field, text[start:end].strip())))
    return [hit for _, hit in sorted(hits, key=lambda pair: pair[0])]


def _is_denied(text: str, match: re.Match[str]) -> bool:
    """Whether the same clause denies the phrase just before it, or inside it before its last word ("本地不设分支机构")."""
    start = match.start()
    before = ""
    while start > 0 and len(before) < _NEGATION_REACH and text[start - 1] not in _CLAUSE_END:
        start -= 1
        before = text[start] + before
    head = before + match.group()
    return any(_NEGATIONS.search(head[:end]) for end in range(1, max(len(head) - 2, 1)))


def _squeeze(text: str) -> tuple[str, list[int]]:
    """`text` in one spelling (NFKC, without blanks inside Chinese, without invisible characters) and where each letter stood."""
    letters: list[str] = []
    places: list[int] = []
    for place, original in enumerate(text):
        if original == "\n":
            letters.append("\n")
            places.append(place)
            continue
        for letter in unicodedata.normalize("NFKC", original):
            if unicodedata.category(letter) in {"Cf", "Mn", "Cc"} or (
                letter.isspace() and not _latin(letters, text, place)
            ):
                continue
            letters.append(" " if letter.isspace() else letter)
            places.append(place)
    return "".join(letters), places


def _latin(letters: list[str], text: str, place: int) -> bool:
    """Whether a blank separates two Latin words, where it means something."""
    following = text[place + 1 : place + 2]
    return (
        bool(letters)
        and letters[-1].isascii()
        and letters[-1].isalnum()
        and following.isascii()
        and following.isalnum()
    )
