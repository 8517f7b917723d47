"""What happens to a simulated parcel: a list of steps with real codes, chosen by an address tag. Pure and seeded."""

import random
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

_TAG: Final = re.compile(r"#SIM:([A-Z0-9]+)")
NIGHT: Final = 24.0


@dataclass(frozen=True, slots=True)
class Step:
    """One event: `hours` of simulated time after the one before it. `stop` marks a parcel that stays where it is."""

    code: str
    name: str
    text: str
    hours: float
    place: str = ""
    region: tuple[str, str] = ("", "")
    deliver_code: str = ""
    attempt_code: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain values for the store."""
        return asdict(self)

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> "Step":
        """The inverse of `to_json`."""
        prov, city = record["region"]
        return cls(**{**record, "region": (prov, city)})


@dataclass(frozen=True)
class Route:
    """Where a parcel goes, in the words of the order."""

    from_prov: str
    from_city: str
    to_prov: str
    to_city: str
    to_county: str
    receiver: str

    @property
    def is_near(self) -> bool:
        return self.from_prov == self.to_prov

    @property
    def is_local(self) -> bool:
        return self.is_near and self.from_city == self.to_city

    @property
    def start(self) -> tuple[str, str]:
        return (self.from_prov, self.from_city)

    @property
    def end(self) -> tuple[str, str]:
        return (self.to_prov, self.to_city)

    @property
    def office(self) -> str:
        return f"{self.to_county}揽投部"


def tag_of(*texts: str) -> str:
    """The script named in an address or note; OK without one."""
    found = _TAG.search(" ".join(texts).upper())
    return found[1] if found and found[1] in SCRIPTS else "OK"


def script(tag: str, route: Route, seed: int) -> list[Step]:
    """The steps of one parcel; the same tag, route and seed give the same steps."""
    return SCRIPTS[tag](route, random.Random(seed))


def _stopover(far_hub: str, dice: random.Random) -> list[Step]:
    hub, place = "郑州邮件处理中心", ("河南省", "郑州市")
    return [
        Step("954", "邮件到达处理中心", f"邮件到达【{hub}】", dice.uniform(8, 20), hub, place),
        Step("389", "处理中心封车", f"邮件离开【{hub}】，正在发往【{far_hub}】", dice.uniform(1, 4), hub, place),
    ]


def _transit(route: Route, dice: random.Random, *, may_skip_hub: bool = True) -> list[Step]:
    hub, far_hub = f"{route.from_city}邮件处理中心", f"{route.to_city}邮件处理中心"
    steps = [
        Step("203", "收寄计费信息", "中国邮政 已收取邮件", dice.uniform(1, 6), "政务服务大厅揽投部", route.start),
        Step(
            "303",
            "揽收批量配发",
            "邮件已在【政务服务大厅揽投部】完成分拣，准备发出",
            dice.uniform(0.5, 2),
            "政务服务大厅揽投部",
            route.start,
        ),
        Step(
            "305",
            "揽投发运/封车",
            f"邮件离开【政务服务大厅揽投部】，正在发往【{hub}】",
            dice.uniform(0.5, 1),
            "政务服务大厅揽投部",
            route.start,
        ),
        Step("954", "邮件到达处理中心", f"邮件到达【{hub}】", dice.uniform(4, 10), hub, route.start),
        Step("389", "处理中心封车", f"邮件离开【{hub}】，正在发往【{far_hub}】", dice.uniform(1, 4), hub, route.start),
    ]
    if route.is_local and may_skip_hub:
        del steps[3:]
    if not route.is_near:
        if dice.random() < 0.3:
            steps += _stopover(far_hub, dice)
        steps.append(Step("954", "邮件到达处理中心", f"邮件到达【{far_hub}】", dice.uniform(8, 30), far_hub, route.end))
        steps.append(
            Step(
                "389",
                "处理中心封车",
                f"邮件离开【{far_hub}】，正在发往【{route.office}】",
                dice.uniform(1, 4),
                far_hub,
                route.end,
            )
        )
    return [
        *steps,
        Step("713", "到达投递机构", f"邮件到达【{route.office}】", dice.uniform(4, 10), route.office, route.end),
    ]


def _out(route: Route, dice: random.Random, after: float = 0.0) -> Step:
    text = "邮件正在派送中，请耐心等待，保持电话畅通，投递员:王强13800008899"
    return Step("702", "投递下段", text, after or dice.uniform(1, 3), route.office, route.end)


def _signed(route: Route, dice: random.Random, code: str = "10", words: str = "本人签收", signer: str = "") -> Step:
    text = f"已签收,{words},签收人:{signer or route.receiver},投递员:王强13800008899"
    return Step("704", "投递结果反馈-妥投", text, dice.uniform(2, 8), route.office, route.end, deliver_code=code)


def _failed(route: Route, dice: random.Random, code: str, words: str) -> Step:
    return Step("705", "投递结果反馈-未妥投", words, dice.uniform(2, 8), route.office, route.end, attempt_code=code)


def _return(route: Route, dice: random.Random, first: str = "708", name: str = "退件登记") -> list[Step]:
    hub = f"{route.from_city}邮件处理中心"
    return [
        Step(first, name, "邮件退回登记，将退回寄件人", dice.uniform(4, 10), route.office, route.end),
        Step("326", "投递邮件接收-退件封发", "退件封发", dice.uniform(1, 3), route.office, route.end),
        Step(
            "305",
            "揽投发运/封车",
            f"邮件离开【{route.office}】，正在发往【{hub}】",
            dice.uniform(1, 3),
            route.office,
            route.end,
        ),
        Step("954", "邮件到达处理中心", f"邮件到达【{hub}】", dice.uniform(8, 24), hub, route.start),
        Step("711", "退回妥投", "退件已由寄件人签收", dice.uniform(6, 12), "政务服务大厅揽投部", route.start),
    ]


def _ok(route: Route, dice: random.Random) -> list[Step]:
    return [*_transit(route, dice), _out(route, dice), _signed(route, dice)]


def _proxy(route: Route, dice: random.Random) -> list[Step]:
    return [*_transit(route, dice), _out(route, dice), _signed(route, dice, "20", "他人代收", "家人")]


def _door(route: Route, dice: random.Random) -> list[Step]:
    return [*_transit(route, dice), _out(route, dice), _signed(route, dice, "161", "已放家门口")]


def _locker(route: Route, dice: random.Random) -> list[Step]:
    return [
        *_transit(route, dice),
        _out(route, dice),
        Step(
            "747",
            "包裹柜/自提点已接收",
            "邮件已到达【智能包裹柜】，请凭取件码领取",
            dice.uniform(2, 6),
            route.office,
            route.end,
        ),
        Step("748", "收件人已取走邮件", "收件人已取走邮件", dice.uniform(2, 12), route.office, route.end),
    ]


def _counter(route: Route, dice: random.Random) -> list[Step]:
    held = "邮件已转窗口，请收件人凭有效证件领取"
    return [
        *_transit(route, dice),
        _out(route, dice),
        Step("723", "转窗投", held, dice.uniform(2, 6), route.office, route.end),
        Step("748", "收件人已取走邮件", "收件人已取走邮件", dice.uniform(2, 12), route.office, route.end),
    ]


def _absent_twice(route: Route, dice: random.Random) -> list[Step]:
    absent = "收件人不在地址且无法联系"
    return [
        *_transit(route, dice),
        _out(route, dice), _failed(route, dice, "4", absent),
        _out(route, dice, NIGHT), _failed(route, dice, "4", absent),
        _out(route, dice, NIGHT), _signed(route, dice),
    ]  # fmt: skip


def _refused(route: Route, dice: random.Random) -> list[Step]:
    return [*_transit(route, dice), _out(route, dice), _failed(route, dice, "7", "收件人拒收"), *_return(route, dice)]


def _bad_address(route: Route, dice: random.Random) -> list[Step]:
    words = "收件人名址有误/不详且无法联系"
    return [*_transit(route, dice), _out(route, dice), _failed(route, dice, "2", words), *_return(route, dice)]


def _lost(route: Route, dice: random.Random) -> list[Step]:
    hub = f"{route.from_city}邮件处理中心"
    return [
        *_transit(route, dice, may_skip_hub=False)[:5],
        Step("651", "物流异常提醒", "邮件运输异常，正在核查", dice.uniform(24, 48), hub, route.start),
        Step("987", "丢失已赔付（赔付给协议客户）", "邮件丢失，已赔付", dice.uniform(48, 72), hub, route.start),
    ]


def _revoked(route: Route, dice: random.Random) -> list[Step]:
    return [
        *_ok(route, dice),
        Step("743", "投递妥投撤销", "妥投撤销", dice.uniform(1, 3), route.office, route.end),
        _failed(route, dice, "4", "收件人不在地址且无法联系"),
        _out(route, dice, NIGHT),
        _signed(route, dice),
    ]


def _return_after(route: Route, dice: random.Random) -> list[Step]:
    return [*_ok(route, dice), *_return(route, dice, "741", "妥投退回登记")]


def _stall(route: Route, dice: random.Random) -> list[Step]:
    return _transit(route, dice, may_skip_hub=False)[:4]


def _unknown_code(route: Route, dice: random.Random) -> list[Step]:
    steps = _transit(route, dice, may_skip_hub=False)
    hub = steps[3]
    steps[4] = replace(steps[4], code="989", name="离开处理中心", text=f"邮件离开【{hub.place}】，正在发往下一站")
    novel = replace(hub, code="QX7", name="新环节扫描", text="新环节扫描", hours=1.0)
    return [*steps[:5], novel, *steps[5:], _out(route, dice), _signed(route, dice)]


SCRIPTS: Final = {
    "OK": _ok, "PROXY": _proxy, "LOCKER": _locker, "COUNTER": _counter, "ABSENT2": _absent_twice, "REFUSED": _refused,
    "BADADDR": _bad_address, "LOST": _lost, "REVOKE": _revoked, "RETURNAFTER": _return_after, "STALL": _stall,
    "UNKNOWNCODE": _unknown_code, "DOOR": _door, "UNREACHABLE": _ok,
}  # fmt: skip


def total_hours(steps: Sequence[Step]) -> float:
    """Simulated hours from hand-in to the last event."""
    return sum(step.hours for step in steps)
