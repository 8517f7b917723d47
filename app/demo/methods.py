"""How purchases choose: the method of each notice, sealed quotes and their opening, comparisons, direct selections."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable
from random import Random
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from app.demo.people import Cast, Owner
from app.demo.simulation import Simulation
from app.documents import pdf
from app.kernel.access import Actor, Role
from app.kernel.commands import Plain
from app.kernel.db import db
from app.kernel.files import Upload
from marketplace.models.procurements import Procurement, Registration
from marketplace.models.quotes import SealedIn
from marketplace.queries.rulebooks import rule_book
from marketplace.rules import opening_keys
from marketplace.rules.selection.direct import decided_by_regulator, needs_document
from marketplace.rules.selection.engine import next_step
from marketplace.rules.selection.methods import Method, needs_plan
from marketplace.rules.selection.outcome import NeedsOwner
from marketplace.rules.selection.terms import Criterion, DirectGround, MethodTerms
from marketplace.services import quotes, selection, tender_keys
from marketplace.services.commands import ChooseAgency, HandInComparison, RequestDirect, ScoredRow
from marketplace.services.quotes import GiveShare, PlainQuote
from marketplace.services.selection.inputs import gather, participants
from marketplace.states.registration import QUOTING

METHODS: Final = (
    Method.RANDOM, Method.BID_LOW, Method.RANDOM, Method.MERIT_PLAN, Method.RANDOM, Method.BID_REF, Method.RANDOM,
    Method.MERIT_CREDIT, Method.RANDOM, Method.COMBINED, Method.BID_LOW, Method.RANDOM, Method.DIRECT,
)  # fmt: skip
"""The methods of successive purchases: the draw is the commonest, as in the supermarkets that publish figures."""

CRITERIA: Final = (
    Criterion("服务方案与技术路线", 40),
    Criterion("项目团队与业绩", 20),
    Criterion("报价", 40, is_price=True),
)
SCORE_REASONS: Final = (
    "技术路线清晰，针对本项目的难点提出了可行措施。",
    "团队配置齐全，项目负责人有三项同类业绩。",
    "方案较为笼统，现场工作安排不够具体。",
    "进度计划合理，预留了评审修改时间。",
)
SMALL_FEN: Final = 4_500_000


def demonstration_code(role: Role) -> str:
    """The opening code of a panel account. It is written down in `docs/sealed-quotes.md`, so it protects nothing."""
    return opening_keys.code_of(hashlib.sha256(f"chaoshi demonstration {role}".encode()).digest()[:16])


class Choosing:
    """Plays the parts of owners, agencies and key holders where a method asks more of them than to register."""

    def __init__(self, simulation: Simulation, random: Random, cast: Cast) -> None:
        self.simulation, self.random, self.cast = simulation, random, cast
        self._codes: dict[UUID, str] = {}

    def hand_out_codes(self) -> None:
        """Every owner and the supervision make their opening codes before the first bidding."""
        for actor in (self.cast.panel[Role.REGULATOR], *(owner.actor for owner in self.cast.owners)):
            assert actor.organisation_id is not None
            known = next((role for role in (Role.OWNER, Role.REGULATOR) if actor == self.cast.panel[role]), None)
            code = demonstration_code(known) if known else opening_keys.new_code()
            tender_keys.make_holder_key(
                actor, tender_keys.MakeHolderKey(opening_keys.public_key_of(code), SealedIn.SERVER)
            )
            self._codes[actor.organisation_id] = code

    def method_of(self, number: int, owner: Owner) -> tuple[Method, MethodTerms]:
        """The method of the purchase with this number and what its notice says about it."""
        method = METHODS[number % len(METHODS)]
        ground = DirectGround.SMALL_AMOUNT if owner.is_public else DirectGround.OWN_CHOICE
        terms = {
            Method.BID_LOW: MethodTerms(rounds=1 + (number % 2)),
            Method.MERIT_PLAN: MethodTerms(criteria=CRITERIA),
            Method.MERIT_CREDIT: MethodTerms(big_list=8, small_list=3),
            Method.COMBINED: MethodTerms(small_list=3),
            Method.DIRECT: MethodTerms(direct_ground=ground),
        }
        return method, terms.get(method, MethodTerms())

    # --- sealed quotes ---

    def quote(self, agency: Actor, procurement_id: UUID, name: str) -> None:
        """One agency registers, if it has not yet, and hands in a quote somewhat below the ceiling."""
        procurement = db.session.get_one(Procurement, procurement_id)
        ceiling = procurement.ceiling_fen or procurement.price_fen
        price = round(ceiling * self.random.triangular(0.72, 1.0, 0.9) / 10_000) * 10_000
        plan = self._plan(procurement, name) if needs_plan(procurement.method) else None
        contribution = f"{self.random.getrandbits(256):064x}"
        sealed, _nonce = quotes.seal_for_agency(agency, procurement_id, PlainQuote(max(price, 100), plan, contribution))
        quotes.hand_in(agency, procurement_id, sealed)

    def _plan(self, procurement: Procurement, name: str) -> Upload:
        letter = pdf.Letter(title="响应方案", issuer=name)
        letter.paragraph(
            f"针对{procurement.title}：资料收集、现场工作、成果编制与评审配合的安排如下（演示文件，内容为虚构）。"
        )
        return Upload("响应方案.pdf", letter.render())

    def open_quotes(self, procurement: Procurement, owner: Owner) -> None:
        """The owner and the supervision give their shares; all quotes are opened; a further round may follow at once."""
        for actor in (owner.actor, self.cast.panel[Role.REGULATOR]):
            assert actor.organisation_id is not None
            quotes.give_share(actor, procurement.id, GiveShare(code=self._codes[actor.organisation_id]))

    def plan_round(
        self, procurement: Procurement, agency_of: Callable[[UUID], Actor], name_of: dict[UUID, str]
    ) -> None:
        """A further bidding round of half an hour: most agencies lower their quote, then the round ends."""
        assert procurement.quotes_open_at is not None
        assert procurement.quotes_end_at is not None
        span = (procurement.quotes_end_at - procurement.quotes_open_at).total_seconds()
        taking_part = db.session.scalars(
            sa.select(Registration.organisation_id).where(
                Registration.procurement_id == procurement.id, Registration.state.in_(QUOTING)
            )
        ).all()
        for organisation_id in sorted(taking_part, key=lambda one: name_of.get(one, "")):
            moment = procurement.quotes_open_at + dt.timedelta(seconds=span * self.random.uniform(0.05, 0.9))
            act = _bound(self.quote, agency_of(organisation_id), procurement.id, name_of.get(organisation_id, ""))
            self.simulation.plan(moment, act, may_be_refused=True)
        after = procurement.quotes_end_at + dt.timedelta(seconds=1)
        self.simulation.plan(after, _bound(selection.end_round, procurement.id))

    # --- merit and direct ---

    def compare(self, procurement: Procurement, owner: Owner) -> None:
        """The owner scores every plan, or chooses from the small list, with reasons."""
        inputs = gather(procurement, participants(procurement.id))
        step = next_step(inputs, rule_book(procurement.rule_book_version))
        assert isinstance(step, NeedsOwner)
        if step.is_choice:
            chosen = self._best_known(step)
            reason = "该机构近一年信用评分较高，且有同类项目业绩，服务团队就近。"
            selection.choose_agency(owner.actor, procurement.id, ChooseAgency(chosen, reason))
            return
        judged = sum(not criterion.is_price for criterion in CRITERIA)
        rows = tuple(
            ScoredRow(
                candidate,
                tuple((self.random.randrange(62, 98), self.random.choice(SCORE_REASONS)) for _ in range(judged)),
            )
            for candidate in step.candidates
        )
        selection.hand_in_comparison(owner.actor, procurement.id, HandInComparison(rows))

    def _best_known(self, step: NeedsOwner) -> UUID:
        points = db.session.execute(
            sa.select(Registration.id, Registration.credit_points).where(Registration.id.in_(step.candidates))
        )
        return max(points.all(), key=lambda row: (row[1] or 0, str(row[0])))[0]

    def request_direct(self, procurement: Procurement, owner: Owner, uscc: str) -> None:
        """The owner names an agency; with public money the record of the collective decision is attached."""
        document = None
        if needs_document(procurement.fund_source):
            letter = pdf.Letter(title="集体决策会议纪要", issuer=owner.name)
            letter.paragraph("经集体研究，同意就本项目直接选取服务机构（演示文件，内容为虚构）。")
            document = Upload("会议纪要.pdf", letter.render())
        ground = MethodTerms.from_json(procurement.method_terms).direct_ground or DirectGround.SMALL_AMOUNT
        reason = "金额较小、时间紧，拟委托熟悉现场情况的机构承担。"
        selection.request_direct(owner.actor, procurement.id, RequestDirect(ground, uscc, reason, document))

    def decide_direct(self, procurement: Procurement) -> None:
        """The operator, or for public money the regulator, approves."""
        role = Role.REGULATOR if decided_by_regulator(procurement.fund_source) else Role.OPERATOR
        selection.approve_direct(self.cast.panel[role], procurement.id, Plain())


def _bound(function: Any, *arguments: Any) -> Callable[[], None]:
    return lambda: function(*arguments)
