"""How each step of a contract is taken over the web: its schema and its use case."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.kernel.access import Actor
from app.kernel.words import N_
from app.web.actions import Action
from marketplace.queries.contracts import contract_view
from marketplace.services import contracts, reviews
from marketplace.web.schemas.contracts import (
    AcceptIn,
    AskPauseIn,
    ConfirmPauseIn,
    DeliverIn,
    ReasonedIn,
    SignIn,
)
from marketplace.web.schemas.reviews import RateIn


def _shown_document(actor: Actor, contract_id: UUID) -> Mapping[str, Any]:
    return {"document_sha256": contract_view(actor, contract_id).document_sha256}


ACTIONS: Mapping[str, Action] = {
    "sign": Action(contracts.sign, SignIn, done=N_("The contract is signed."), prefill=_shown_document),
    "ask_pause": Action(contracts.ask_pause, AskPauseIn, done=N_("The other side has been asked.")),
    "confirm_pause": Action(contracts.confirm_pause, ConfirmPauseIn, done=N_("The clock is paused.")),
    "refuse_pause": Action(contracts.refuse_pause, ReasonedIn, done=N_("The pause is refused.")),
    "resume": Action(contracts.resume, ReasonedIn, done=N_("The clock runs on.")),
    "deliver": Action(contracts.deliver, DeliverIn, done=N_("The deliverable is handed in. The owner has been told.")),
    "accept": Action(
        contracts.accept,
        AcceptIn,
        done=N_("The deliverable is accepted."),
        explain=N_("The held fee is paid to the agency."),
    ),
    "return_deliverable": Action(contracts.return_deliverable, ReasonedIn, done=N_("The deliverable is returned.")),
    "rate": Action(
        reviews.rate,
        RateIn,
        done=N_("Thank you. The rating is shown when the agency has rated too, or when the time is over."),
    ),
    "terminate": Action(contracts.terminate, ReasonedIn, done=N_("The contract is terminated."), danger=True),
}
