"""Challenges for tests, made through the services."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.kernel.access import Actor
from app.kernel.db import db, get
from marketplace.models.challenges import Challenge
from marketplace.rules.challenges import ComplaintType, Effect, Side
from marketplace.services import challenges
from tests.marketplace.procurement_builders import AgencyMade, Story

SUMMARY = "经核查，提出的问题属实。"


def a_plea(**more: Any) -> dict[str, Any]:
    return {
        "claim": "请求核查中选机构的资质并取消中选结果。",
        "grounds": "中选机构公示的测绘资质证书编号在发证机关网站查询不到。",
        "contact_phone": "13900000009",
        **more,
    }


def object_to(story: Story, actor: Actor, matter: str = "objection:result", **more: Any) -> UUID:
    """File an objection or query against the story's procurement."""
    return challenges.challenge_procurement(actor, story.id, challenges.FileObjection(**a_plea(matter=matter, **more)))


def the(challenge_id: UUID) -> Challenge:
    db.session.expire_all()
    return get(Challenge, challenge_id)


def losers(story: Story) -> list[AgencyMade]:
    """The agencies that were not selected, in the order in which they registered."""
    return [agency for agency in story.agencies if agency.actor.organisation_id != story.winner.actor.organisation_id]


def upheld(effect: Effect = Effect.NONE, **more: Any) -> challenges.Uphold:
    return challenges.Uphold("经向发证机关核实，异议成立。", SUMMARY, effect, **more)


def rejected() -> challenges.Reject:
    return challenges.Reject("经向发证机关核实，证书真实有效。", "经核查，证书真实有效。")


def a_complaint(actor: Actor, **more: Any) -> UUID:
    facts: dict[str, Any] = {
        "complaint_type": ComplaintType.DELAY,
        "against": Side.OTHER,
        "against_name": "某测绘机构",
    }
    return challenges.complain(actor, challenges.FileComplaint(**a_plea(**{**facts, **more})))
