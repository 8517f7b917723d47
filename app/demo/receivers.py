"""What receivers do in the demonstration: complain, authorise somebody, have originals fetched, choose a collection point."""

from __future__ import annotations

import datetime as dt
from typing import Final

import sqlalchemy as sa

from app.demo.people import Cast
from app.demo.post import Post
from app.demo.simulation import Simulation, at_hour
from app.kernel import clock, outbox
from app.kernel.access import Role
from app.kernel.commands import Plain, WithReason
from app.kernel.db import db
from approvals.models import Case
from approvals.services.commands import OrderCollection, Receiver
from approvals.services.originals import order_collection
from approvals.states import DECIDED, WITHOUT_RESULT
from delivery import jobs
from delivery.doorstep import IdType
from delivery.models.complaints import Complaint, ComplaintKind
from delivery.models.mandates import LetterScope
from delivery.models.papers import PapersOrder
from delivery.models.parcels import Parcel
from delivery.services import complaints, papers
from delivery.services.addresses import ChoosePoint, choose_point
from delivery.services.complaints import Complain, Reply
from delivery.services.mandates import GrantLetter, grant_letter
from delivery.services.papers import WINDOWS, ReceivePapers
from delivery.services.schedules import KeepPoint, keep_point

COMPLAINTS: Final = (
    (
        ComplaintKind.LATE,
        "约定前天送达，昨天下午才到，也没有提前通知。",
        "因大雾航班取消，已向您致歉并报销改签的路费。",
    ),
    (ComplaintKind.MANNER, "投递员放下就走，没有核对取件码。", "经核对监控，投递员未按规定核验取件码，已停岗培训。"),
    (ComplaintKind.DAMAGED, "封套一角被水打湿，证书边缘有水痕。", "证书可以免费重制，请携旧证到窗口更换。"),
    (ComplaintKind.FEE, "页面写着政府付费，投递员又收了我十二元。", ""),
)
"""What the receiver writes, and the hall's answer; the last one waits for it."""
ORIGINALS: Final = ("营业执照正本", "法定代表人身份证明书", "建设用地批准书原件")


class Receivers:
    """Applicants with a parcel or a case of their own."""

    def __init__(self, simulation: Simulation, cast: Cast, post: Post) -> None:
        self._simulation, self._cast, self._post = simulation, cast, post
        self._by_user = {applicant.user_id: applicant for applicant in cast.applicants}
        self._by_user |= {owner.actor.user_id: owner.actor for owner in cast.owners}

    def plan(self) -> None:
        """Two complaints that came to their end, and originals on their way to the hall and there."""
        today = clock.beijing_day(self._simulation.end)
        for number, days in enumerate((24, 19)):
            filed = at_hour(self._simulation.calendar.on_or_after(today - dt.timedelta(days=days)), 11.3 + number)
            self._simulation.plan(filed, self._complain)
            self._simulation.plan(filed + dt.timedelta(days=1, hours=3), self._answer)
            self._simulation.plan(filed + dt.timedelta(days=2, hours=4), (self._accept, self._escalate)[number])
        self._simulation.plan(at_hour(today - dt.timedelta(days=14), 15.2), self._decide)
        fetched = at_hour(self._simulation.calendar.on_or_after(today - dt.timedelta(days=6)), 9.8)
        self._simulation.plan(fetched, self._send_originals)
        self._simulation.plan(fetched + dt.timedelta(days=4), self._receive_originals)

    def leave_open(self) -> None:
        """What waits today: a complaint to answer, one to be settled, a courier who comes tomorrow, a letter, a chosen point."""
        self._complain()
        self._answer()
        self._complain()
        self._send_originals()
        self._authorise()
        self._choose_point()
        outbox.drain_all()

    # --- complaints ---

    def _complain(self) -> None:
        known = sa.select(Complaint.parcel_id)
        delivered = sa.select(Parcel).where(
            Parcel.state.in_(("delivered", "closed")), Parcel.id.not_in(known),
            Parcel.applicant_user_id.in_([user_id for user_id in self._by_user if user_id is not None]),
        )  # fmt: skip
        parcel = db.session.scalars(delivered.order_by(Parcel.delivered_at.desc(), Parcel.id).limit(1)).first()
        number = db.session.scalar(sa.select(sa.func.count()).select_from(Complaint)) or 0
        if parcel is None or number >= len(COMPLAINTS):
            return
        kind, text, _answer = COMPLAINTS[number]
        complaints.complain(self._by_user[parcel.applicant_user_id], parcel.id, Complain(kind, text))

    def _answer(self) -> None:
        for complaint in self._of("filed"):
            text = next(answer for _kind, said, answer in COMPLAINTS if said == complaint.text)
            if text:
                complaints.answer(self._post.supervisor, complaint.id, Reply(text))

    def _accept(self) -> None:
        for complaint in self._of("answered"):
            complaints.accept(self._by_user[complaint.applicant_user_id], complaint.id, Plain())

    def _escalate(self) -> None:
        for complaint in self._of("answered"):
            actor = self._by_user[complaint.applicant_user_id]
            complaints.escalate(actor, complaint.id, WithReason("只说培训，没有说明证照是否可能被他人代取。"))

    def _decide(self) -> None:
        for complaint in self._of("escalated"):
            decision = "投诉成立：凭证照片显示由本人签收，未被代取；大厅应向申请人书面致歉。"
            complaints.decide(self._cast.panel[Role.OPERATOR], complaint.id, WithReason(decision))

    def _of(self, state: str) -> list[Complaint]:
        return list(db.session.scalars(sa.select(Complaint).where(Complaint.state == state).order_by(Complaint.number)))

    # --- originals ---

    def _send_originals(self) -> None:
        """An applicant whose case is still open has the originals fetched tomorrow."""
        fetched = set(db.session.scalars(sa.select(PapersOrder.subject)))
        in_work = sa.select(Case).where(
            Case.state.not_in((*DECIDED, *WITHOUT_RESULT)), Case.hall_organisation_id == self._post.hall,
            Case.applicant_user_id.in_([user_id for user_id in self._by_user if user_id is not None]),
        )  # fmt: skip
        cases = db.session.scalars(in_work.order_by(Case.number.desc()))
        case = next((each for each in cases if each.subject not in fetched), None)
        if case is None:
            return
        applicant = self._by_user[case.applicant_user_id]
        sender = Receiver(applicant.name, "13951200188", "江苏省", "连云港市", "海州区", "郁洲南路18号3幢502室")
        day = clock.today() + dt.timedelta(days=1)
        order_collection(applicant, case.id, OrderCollection(sender, ORIGINALS, day, WINDOWS[0]))
        outbox.drain_all()
        jobs.collect_originals()

    def _receive_originals(self) -> None:
        """The envelope is opened at the hall; one paper of the list was not in it."""
        self._post.courier.move_on()
        jobs.collect_originals()
        for order in db.session.scalars(sa.select(PapersOrder).where(PapersOrder.state == "booked")).all():
            missing = ReceivePapers((ORIGINALS[2],), "封套内无建设用地批准书，已电话告知。")
            papers.receive_papers(self._post.staff, order.id, missing)

    # --- before the hand-over ---

    def _authorise(self) -> None:
        parcel = self._waiting()
        if parcel is not None:
            until = clock.today() + dt.timedelta(days=20)
            letter = GrantLetter("周晓明", IdType.RESIDENT_CARD, "021X", LetterScope.BOTH, until)
            grant_letter(self._by_user[parcel.applicant_user_id], parcel.id, letter)

    def _choose_point(self) -> None:
        opening = KeepPoint(
            "海州区便民服务中心代收点", "320706", "朝阳东路63号一楼大厅", "0518-85410000", "工作日 9:00-17:30"
        )
        point_id = keep_point(self._post.supervisor, opening)
        parcel = self._waiting()
        if parcel is not None:
            actor = self._by_user[parcel.applicant_user_id]
            choose_point(actor, parcel.id, ChoosePoint(point_id, parcel.pickup_code))

    def _waiting(self) -> Parcel | None:
        """A parcel that nobody packed yet, of somebody known, which only the receiver may sign for."""
        statement = sa.select(Parcel).where(
            Parcel.state == "ready", Parcel.hall_organisation_id == self._post.hall, Parcel.who_may_sign == "self",
            Parcel.applicant_user_id.in_([user_id for user_id in self._by_user if user_id is not None]),
        )  # fmt: skip
        return db.session.scalars(statement.order_by(Parcel.number).limit(1)).first()
