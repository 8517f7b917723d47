"""Invented names of companies, people, projects and places; deterministic by the generator that is handed in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Final

from stdnum.cn import uscc

from marketplace.rules.categories import Category

SURNAMES: Final = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文"
GIVEN_FIRST: Final = "子思文雨嘉明志建国海晓俊佳立永春振宏玉慧雅静欣若梓浩泽宇晨天伟正德仁益安宁远景承启同书"
GIVEN_LAST: Final = "轩涵怡航博杰强磊洋勇军平辉鹏华超峰刚霞敏丽娟芳婷雪琳颖洁倩楠妍彤悦宁然昕哲睿铭川舟松柏岩清源和正远"
BRANDS_FIRST: Final = [
    "衡岳",
    "云帆",
    "启明",
    "瑞泽",
    "中锐",
    "华衡",
    "恒信",
    "正源",
    "天汇",
    "博远",
    "江海",
    "东润",
    "苏沪",
    "金陵",
    "维诚",
    "卓越",
    "明德",
    "广陵",
    "长淮",
    "太湖",
    "润泽",
    "安泰",
    "鼎盛",
    "致远",
    "众合",
    "方圆",
    "科信",
    "国泽",
    "景行",
    "知行",
    "澄江",
    "凌云",
    "远图",
    "苍梧",
    "砥石",
    "瀚海",
    "朗润",
    "嘉禾",
    "万象",
    "联创",
    "同济达",
    "海陵",
    "汉风",
    "楚韵",
    "虹桥",
    "九鼎",
    "和光",
    "宏图",
    "立信达",
    "信衡",
    "清源",
    "德润",
    "开元",
    "华策",
    "汇智",
    "智诚",
    "建衡",
    "诚品",
    "泰和",
    "翔宇",
    "元启",
    "坤泽",
    "育林",
    "天目",
    "紫峰",
    "栖霞岭",
    "梅岭",
    "石城",
    "青溪",
    "白鹭",
    "四维",
    "经纬",
    "北辰",
    "南星",
    "望岳",
    "观澜",
    "听泉",
    "怀远",
    "守正",
    "笃行",
    "允中",
    "大观",
    "新禹",
    "禹川",
    "河清",
    "碧水",
    "蓝宇",
    "绿源",
    "青禾",
    "洁净源",
    "微谱",
    "普测",
    "量衡",
    "精诚",
]
BRANDS_LAST: Final = ("", "", "", "", "达", "信", "源", "华", "盛", "泰")
TRADES: Final[Mapping[Category, tuple[str, ...]]] = {
    Category.CONSULTING: ("工程咨询", "项目管理咨询", "投资咨询", "工程技术咨询"),
    Category.SURVEY_DESIGN: ("建筑设计", "勘测设计", "市政设计研究", "工程设计"),
    Category.MAPPING: ("测绘", "地理信息技术", "测绘科技", "空间信息"),
    Category.ENVIRONMENT: ("环境科技", "环保工程", "环境咨询", "生态环境技术"),
    Category.WATER: ("水利勘测设计", "水务咨询", "水土保持技术", "水利工程咨询"),
    Category.NATURAL_RESOURCES: ("地质工程", "林业规划设计", "土地勘测规划", "海洋工程技术"),
    Category.PLANNING: ("城乡规划设计", "规划设计研究", "交通规划咨询", "景观规划设计"),
    Category.COST: ("工程造价咨询", "造价咨询", "建设工程造价", "工程经济咨询"),
    Category.TENDER_SUPERVISION: ("招标代理", "建设监理", "工程监理咨询", "项目管理"),
    Category.TESTING: ("检测技术", "工程质量检测", "检验检测", "建筑材料检测"),
    Category.SAFETY_HEALTH: ("安全技术", "安全评价", "职业卫生技术", "消防技术服务"),
    Category.APPRAISAL: ("资产评估", "会计师事务所", "房地产土地评估", "税务师事务所"),
}
STREETS: Final = [
    "人民路",
    "建设路",
    "解放路",
    "中山路",
    "和平路",
    "青年路",
    "长江路",
    "淮海路",
    "迎宾大道",
    "创新大道",
    "科技路",
    "学府路",
    "滨河路",
    "文昌路",
    "新华路",
    "光明路",
    "工业园路",
    "软件大道",
]
PROJECTS: Final = [
    "滨江污水处理厂扩建工程",
    "第三实验小学新建工程",
    "人民医院门诊综合楼",
    "城南快速路改造工程",
    "老旧小区改造二期",
    "智慧停车场建设项目",
    "高新区标准厂房三期",
    "社区养老服务中心",
    "沿河风光带整治工程",
    "体育公园建设工程",
    "城市展览馆改造",
    "生活垃圾中转站",
    "农村公路提档升级",
    "中心敬老院消防改造",
    "港口物流园一期",
    "新能源汽车零部件厂区",
    "冷链仓储中心",
    "职业技术学校实训楼",
    "自来水厂深度处理",
    "河道清淤与护岸",
    "变电站迁建工程",
    "公交首末站",
    "人才公寓二期",
    "文化馆维修改造",
    "疾控中心实验室",
    "农贸市场改造",
    "雨污分流改造工程",
    "桥梁加固工程",
    "产业园污水管网",
    "乡镇卫生院迁建",
    "分布式光伏示范项目",
    "果蔬加工厂",
    "粮食储备库",
    "消防救援站",
    "档案馆新馆",
    "图书馆空调改造",
    "幼儿园新建工程",
    "殡仪馆提升改造",
    "通用机场配套道路",
    "矿山生态修复",
    "海堤加固",
    "美丽乡村示范片",
    "生物医药孵化器",
    "半导体封装车间",
]
OWNER_BODIES: Final = (
    "城市建设投资有限公司",
    "水务集团有限公司",
    "交通产业集团有限公司",
    "教育局",
    "卫生健康委员会",
    "住房和城乡建设局",
    "水利局",
    "机关事务管理中心",
    "高新技术产业开发区管理委员会",
    "文化广电和旅游局",
)
PRIVATE_OWNERS: Final = ("精密制造", "新材料", "生物科技", "食品", "物流", "纺织", "智能装备", "置业", "能源", "电子")
REGISTRAR_MARK: Final = "MADEM"
_DIGITS: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_ORGANISATION_WEIGHTS: Final = (3, 7, 9, 10, 5, 8, 4, 2)
_ORGANISATION_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass
class Names:
    """A source of names that never gives the same company, code or number twice."""

    random: Random
    codes: int = 0
    mobiles: int = 0

    def __post_init__(self) -> None:
        self._companies: set[str] = set()

    def person(self) -> str:
        last = self.random.choice(GIVEN_LAST) if self.random.random() < 0.82 else ""
        return self.random.choice(SURNAMES) + self.random.choice(GIVEN_FIRST) + last

    def mobile(self) -> str:
        """A number of the series 1990000, which is not in use."""
        self.mobiles += 1
        return f"1990{self.mobiles:07d}"

    def phone(self) -> str:
        return f"0{self.random.choice((25, 510, 512, 516, 518))}-55{self.random.randrange(10**5, 10**6)}"

    def credit_code(self, region_code: str, *, public_body: bool = False) -> str:
        """A unified social credit code (GB 32100-2015) with valid check digits and the mark of an invented registrar."""
        self.codes += 1
        serial = "".join(_DIGITS[self.codes // 31**power % 31] for power in (2, 1, 0))
        organisation = REGISTRAR_MARK + serial
        weighted = sum(
            _ORGANISATION_DIGITS.index(char) * weight
            for char, weight in zip(organisation, _ORGANISATION_WEIGHTS, strict=True)
        )
        check = (11 - weighted % 11) % 11
        if check == 10:  # its check digit would be X; take the next serial, so that no code looks like a typing error
            return self.credit_code(region_code, public_body=public_body)
        number = ("11" if public_body else "91") + region_code + organisation + str(check)
        return number + str(uscc.calc_check_digit(number))

    def company(self, category: Category, city: str) -> str:
        """The name of an agency of a trade, with or without its city: 金陵衡岳工程咨询有限公司."""
        while True:
            brand = self.random.choice(BRANDS_FIRST) + self.random.choice(BRANDS_LAST)
            trade = self.random.choice(TRADES[category])
            form = "" if trade.endswith("事务所") else "有限公司"
            place = self.random.choice(("江苏", city.removesuffix("市"), city.removesuffix("市"), ""))
            name = f"{place}{brand}{trade}{form}" if form else f"{place}{brand}{trade}（普通合伙）"
            if name not in self._companies:
                self._companies.add(name)
                return name

    def private_owner(self, city: str) -> str:
        while True:
            name = f"{city.removesuffix('市')}{self.random.choice(BRANDS_FIRST)}{self.random.choice(PRIVATE_OWNERS)}有限公司"
            if name not in self._companies:
                self._companies.add(name)
                return name

    def address(self, region: str) -> str:
        number = self.random.randrange(1, 399)
        return f"{region}{self.random.choice(STREETS)}{number}号{self.random.randrange(1, 19)}层{self.random.randrange(101, 1899)}室"

    def projects(self, place: str) -> Iterator[str]:
        """Names of projects of a place, in a random order, then with phases."""
        names = list(PROJECTS)
        self.random.shuffle(names)
        for phase in ("", "（二期）", "（三期）", "（四期）", "（五期）"):
            for name in names:
                yield f"{place}{name}{phase}"
