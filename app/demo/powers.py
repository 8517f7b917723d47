"""The approval items of the demonstration's department; names and limits follow the national lists in their outline."""

from __future__ import annotations

from uuid import UUID

from app.kernel.access import Actor
from approvals.services.items import RegisterItem, register_item

POWERS = (
    ("SP-101", "建设用地规划许可证核发", "Land use planning permit", "《中华人民共和国城乡规划法》第三十七条、第三十八条", 20, 7, "建设用地规划许可证"),
    ("SP-102", "建设工程规划许可证核发", "Building planning permit", "《中华人民共和国城乡规划法》第四十条", 20, 8, "建设工程规划许可证"),
    ("SP-103", "建筑工程施工许可证核发", "Construction permit", "《中华人民共和国建筑法》第七条", 7, 2, "建筑工程施工许可证"),
    ("SP-104", "建设项目环境影响报告书审批", "Approval of environmental impact reports", "《中华人民共和国环境影响评价法》第二十二条", 60, 20, "建设项目环境影响评价文件批复"),
    ("SP-105", "生产建设项目水土保持方案审批", "Approval of soil and water conservation plans", "《中华人民共和国水土保持法》第二十五条", 20, 7, "水土保持方案行政许可决定书"),
    ("SP-106", "取水许可", "Water abstraction permit", "《取水许可和水资源费征收管理条例》第十四条", 45, 15, "取水许可证"),
    ("SP-107", "建设工程消防验收", "Fire safety acceptance", "《中华人民共和国消防法》第十三条", 15, 7, "建设工程消防验收意见书"),
    ("SP-108", "公共场所卫生许可", "Hygiene licence for public places", "《公共场所卫生管理条例》第四条", 20, 5, "公共场所卫生许可证"),
    ("SP-109", "使用林地审核", "Review of forest land use", "《中华人民共和国森林法》第三十七条", 20, 10, "使用林地审核同意书"),
    ("SP-110", "固定资产投资项目节能审查", "Energy conservation review", "《中华人民共和国节约能源法》第十五条", 20, 10, "固定资产投资项目节能审查意见"),
)  # fmt: skip


def register_powers(actor: Actor, department_organisation_id: UUID) -> tuple[UUID, ...]:
    """Enter the items of the department; known ones stay as they are. Returns their ids in the order of POWERS."""
    return tuple(
        register_item(
            actor,
            RegisterItem(
                code=code,
                name=name,
                name_en=name_en,
                department_organisation_id=department_organisation_id,
                legal_basis=basis,
                statutory_limit_wd=statutory,
                promised_limit_wd=promised,
                certificate_title=title,
                materials="申请表、主体资格证明、项目材料",
            ),
        )
        for code, name, name_en, basis, statutory, promised, title in POWERS
    )
