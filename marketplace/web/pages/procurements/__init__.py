"""Pages of procurements: public notices, one procurement, the publish form, lists of owner, agency and operator."""

from app.kernel.access import Role
from app.kernel.words import N_
from app.manifest import NavigationItem
from app.web.actions import register_actions
from marketplace.queries import procurements
from marketplace.states.procurement import PROCUREMENT
from marketplace.states.question import QUESTION
from marketplace.states.registration import REGISTRATION
from marketplace.web.api.procurements import bp as api
from marketplace.web.api.procurements import procurement_json, registration_json
from marketplace.web.api.questions import bp as questions_api
from marketplace.web.api.questions import question_json

# importing a module of pages registers its routes with the blueprint
from marketplace.web.pages.procurements import lists, public, questions, registrations, writing  # noqa: F401
from marketplace.web.pages.procurements.words import bp
from marketplace.web.procurement_actions import ACTIONS, QUESTION_ACTIONS, REGISTRATION_ACTIONS

__all__ = ["NAVIGATION", "OBJECT_HREF", "bp"]

OBJECT_HREF = {
    "procurement": lambda object_id: f"/procurements/{object_id}",
    "registration": lambda object_id: f"/registrations/{object_id}",
    "notice_question": lambda object_id: f"/questions/{object_id}",
}
NAVIGATION = (
    NavigationItem(N_("Notices"), "marketplace_procurements.index", "speakerphone", order=20),
    NavigationItem(
        N_("My procurements"), "marketplace_procurements.mine", "clipboard-list", frozenset({Role.OWNER}), order=30
    ),
    NavigationItem(
        N_("Opportunities"), "marketplace_procurements.opportunities", "target", frozenset({Role.AGENCY}), order=30
    ),
    NavigationItem(
        N_("My registrations"),
        "marketplace_procurements.my_registrations",
        "list-check",
        frozenset({Role.AGENCY}),
        order=31,
    ),
    NavigationItem(
        N_("All procurements"),
        "marketplace_procurements.supervise",
        "clipboard-list",
        frozenset({Role.OPERATOR, Role.REGULATOR, Role.AUDITOR}),
        order=30,
    ),
)

register_actions(
    bp,
    api,
    machine=PROCUREMENT,
    path="/procurements/<uuid:object_id>",
    table=ACTIONS,
    view=procurements.procurement_view,
    detail="marketplace_procurements.procurement",
    to_json=procurement_json,
)
register_actions(
    bp,
    api,
    machine=REGISTRATION,
    path="/registrations/<uuid:object_id>",
    table=REGISTRATION_ACTIONS,
    view=procurements.registration_view,
    detail="marketplace_procurements.registration",
    to_json=registration_json,
)
register_actions(
    bp,
    questions_api,
    machine=QUESTION,
    path="/questions/<uuid:object_id>",
    table=QUESTION_ACTIONS,
    view=procurements.question_view,
    detail="marketplace_procurements.question",
    to_json=question_json,
)
