"""The twelve categories of the service item list."""

from enum import StrEnum

from app.kernel.words import N_


class Category(StrEnum):
    """One category; the order is the order of the pages."""

    CONSULTING = "consulting"
    SURVEY_DESIGN = "survey_design"
    MAPPING = "mapping"
    ENVIRONMENT = "environment"
    WATER = "water"
    NATURAL_RESOURCES = "natural_resources"
    PLANNING = "planning"
    COST = "cost"
    TENDER_SUPERVISION = "tender_supervision"
    TESTING = "testing"
    SAFETY_HEALTH = "safety_health"
    APPRAISAL = "appraisal"


CATEGORY_LABELS: dict[Category, str] = {
    Category.CONSULTING: N_("Engineering consulting"),
    Category.SURVEY_DESIGN: N_("Survey and design"),
    Category.MAPPING: N_("Surveying and mapping"),
    Category.ENVIRONMENT: N_("Environment"),
    Category.WATER: N_("Water"),
    Category.NATURAL_RESOURCES: N_("Land, forestry and sea"),
    Category.PLANNING: N_("Planning"),
    Category.COST: N_("Construction cost"),
    Category.TENDER_SUPERVISION: N_("Tendering and supervision"),
    Category.TESTING: N_("Testing and inspection"),
    Category.SAFETY_HEALTH: N_("Safety and health"),
    Category.APPRAISAL: N_("Audit and appraisal"),
}


# Tabler icon names, shown beside the words, never instead of them.
CATEGORY_ICONS: dict[Category, str] = {
    Category.CONSULTING: "report-analytics",
    Category.SURVEY_DESIGN: "writing",
    Category.MAPPING: "map-pin",
    Category.ENVIRONMENT: "world",
    Category.WATER: "target",
    Category.NATURAL_RESOURCES: "route",
    Category.PLANNING: "building-community",
    Category.COST: "coin",
    Category.TENDER_SUPERVISION: "gavel",
    Category.TESTING: "zoom-check",
    Category.SAFETY_HEALTH: "shield-check",
    Category.APPRAISAL: "scale",
}
