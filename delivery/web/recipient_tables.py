"""Which use case takes which edge of letters, complaints and collections over the web, and what a parcel's people may wish for."""

from typing import Final

from app.kernel.words import N_
from app.web.actions import Action
from app.web.schemas import PlainIn
from delivery import links
from delivery.services import addresses, codes, complaints, mandates, merging, papers, recipients
from delivery.web.recipient_schemas import (
    AgreeDayIn,
    ChooseDayIn,
    ChoosePointIn,
    ComplainIn,
    GrantLetterIn,
    InterceptIn,
    MergeIn,
    ReceivePapersIn,
    ReplyIn,
)
from delivery.web.schemas import ReasonIn

WISHES: Final = {
    "merge": Action(
        merging.merge, MergeIn, N_("Put into another parcel"), done=N_("Both travel in one envelope now."),
        explain=N_("One envelope, one waybill, one fee. Every case still sees its own journey. Possible until it is packed."),
    ),
    "split": Action(merging.split, PlainIn, N_("Take out again"), done=N_("It travels alone again.")),
    "grant_letter": Action(
        mandates.grant_letter, GrantLetterIn, N_("Authorise an agent"), done=N_("The letter of authority is in force."),
        explain=N_("The agent may sign for this parcel with the pick-up code and the document named here. An earlier letter is replaced."),
    ),
    "choose_day": Action(
        recipients.choose_day, ChooseDayIn, N_("Choose the day"), done=N_("The day is noted."),
        explain=N_("It can be changed until the hall's cut-off of the day before. If the carrier has the parcel already, the hall passes your wish on."),
    ),
    "agree_day": Action(
        recipients.agree_day, AgreeDayIn, N_("Agree a day with the receiver"), done=N_("The day is noted."),
        explain=N_("For a receiver who called, or was called. Rounds propose the parcel for that day and not before."),
    ),
    "choose_point": Action(
        addresses.choose_point, ChoosePointIn, N_("Choose a collection point"), done=N_("It will wait for you there."),
        explain=N_("Possible until the courier takes the parcel. A waybill that was ordered is cancelled and ordered again."),
    ),
    "intercept": Action(
        recipients.ask_intercept, InterceptIn, N_("Have it stopped"), danger=True, done=N_("The hall has been asked to stop it."),
        explain=N_("The hall asks the carrier to bring the parcel back. Then it can be sent elsewhere or collected at the window."),
    ),
    "complain": Action(complaints.complain, ComplainIn, N_("Complain"), done=N_("Your complaint is filed.")),
    "renew_link": Action(links.renew_link, PlainIn, N_("Make a new link"), done=N_("The earlier link is void.")),
    "unlock_code": Action(
        codes.unlock_code, ReasonIn, N_("Unlock the pick-up code"), done=N_("Unlocked. The applicant has a new code."),
        explain=N_("Make sure who the receiver is first. The old code is void, a new one is sent to the applicant."),
    ),
}  # fmt: skip

LETTER_ACTIONS: Final = {
    "revoke": Action(mandates.revoke_letter, ReasonIn, done=N_("Revoked. Only the receiver may sign now."))
}

COMPLAINT_ACTIONS: Final = {
    "answer": Action(complaints.answer, ReplyIn, done=N_("Answered. The applicant has been told.")),
    "withdraw": Action(complaints.withdraw, PlainIn),
    "accept": Action(complaints.accept, PlainIn, done=N_("Thank you. The complaint is closed.")),
    "escalate": Action(complaints.escalate, ReasonIn, done=N_("The operator has it now.")),
    "decide": Action(complaints.decide, ReasonIn, done=N_("Decided. Both sides have been told.")),
}  # fmt: skip

PAPERS_ACTIONS: Final = {
    "receive": Action(
        papers.receive_papers, ReceivePapersIn, done=N_("Received. The applicant has been told."),
        explain=N_("Open the envelope with a second person and compare every paper with the list."),
    ),
    "send_back": Action(papers.give_papers_back, PlainIn, N_("Given back at the window"), done=N_("Given back.")),
    "cancel": Action(papers.cancel_papers, ReasonIn, danger=True),
}  # fmt: skip
