"""The decision on a challenge as a paper: numbered, checkable by its QR code, in the language of the official paper."""

from typing import Final
from uuid import UUID

from app.documents import issue, pdf
from app.kernel import clock
from app.kernel.words import N_
from marketplace.models.challenges import Challenge
from marketplace.rules.challenges import STANDING_LABELS, ChallengeKind, Effect, HandledBy
from marketplace.states.challenge import ChallengeState

_TITLES: Final = {
    ChallengeKind.OBJECTION: "异议答复书",
    ChallengeKind.QUERY: "质疑答复书",
    ChallengeKind.COMPLAINT: "投诉处理决定书",
    ChallengeKind.OFF_LIST: "清单外事项举报答复书",
}
_OUTCOMES: Final = {ChallengeState.UPHELD: "成立", ChallengeState.REJECTED: "不成立"}
_EFFECTS: Final = {
    Effect.NONE: "程序继续进行，存在的问题予以纠正",
    Effect.EXCLUDE: "取消一家机构的资格，其余机构排序不变",
    Effect.RESELECT: "取消中选结果，由公布排序中的下一名递补",
    Effect.REPUBLISH: "取消本次选取，由项目业主重新公告",
    Effect.VOID: "采购项目置为无效",
    Effect.REJECT_ADMISSION: "不予入驻",
}
_DECIDERS: Final = {HandledBy.OPERATOR: "运营机构", HandledBy.REGULATOR: "监管部门"}


def issue_decision(challenge: Challenge) -> UUID:
    """Issue the paper of a decided challenge and return the document. Its public facts name no challenger."""
    title = _TITLES[ChallengeKind(challenge.kind)]
    outcome = _OUTCOMES[ChallengeState(challenge.state)]
    assert challenge.decided_at is not None
    decided_on = clock.beijing_day(challenge.decided_at).strftime("%Y年%m月%d日")
    decider = _DECIDERS.get(HandledBy(challenge.handled_by), challenge.against_name)
    effect = (
        _EFFECTS[Effect(challenge.effect or Effect.NONE)]
        if challenge.state == ChallengeState.UPHELD
        else "程序继续进行"
    )
    facts = {
        N_("Challenger"): STANDING_LABELS[challenge.standing],
        N_("Outcome"): outcome,
        N_("What follows"): effect,
        N_("Summary"): challenge.public_summary or "",
    }
    rows = (
        ("编号", challenge.number),
        ("提出人", challenge.challenger_name),
        ("被提出方", challenge.against_name),
        ("提出日期", clock.beijing_day(challenge.filed_at).strftime("%Y年%m月%d日")),
        ("答复日期", decided_on),
        ("处理结果", outcome),
        ("后续措施", effect),
    )

    def render(check: pdf.Check) -> bytes:
        letter = pdf.Letter(title=title, issuer="网上中介服务超市", number=challenge.number, check=check)
        letter.facts(rows)
        letter.heading("请求事项").paragraph(challenge.claim, indent=True)
        letter.heading("事实和理由").paragraph(challenge.grounds, indent=True)
        letter.heading("答复与决定").paragraph(challenge.decision or "", indent=True)
        letter.note(
            "对答复不服的，可以在规定期限内依法进入下一程序。本文书经网上中介服务超市送达，当事人可在线确认签收。"
        )
        letter.closing(decider, decided_on)
        if challenge.handled_by != HandledBy.OWNER:
            letter.seal("网上中介服务超市", "异议投诉专用章")
        return letter.render()

    return issue(
        "challenge-decision",
        challenge.number,
        f"{title} {challenge.number}",
        challenge.subject,
        challenge.thread_id,
        facts,
        render,
    ).id
