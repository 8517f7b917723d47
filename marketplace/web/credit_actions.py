"""The steps of sanctions and repairs over the web, and credit as JSON."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from app.kernel.words import N_
from app.web.actions import Action, ActionView, action_link, actions_of, api_actions
from app.web.schemas import PlainIn, ReasonIn
from marketplace.queries.sanctions import RepairView, SanctionRow, SanctionView
from marketplace.services import sanctions
from marketplace.services.sanctions import repairs
from marketplace.states.credit import REPAIR, SANCTION, SanctionState
from marketplace.states.parts import Part
from marketplace.web.schemas.credit import ProposeIn, RepairIn, StatementIn

SANCTION_ACTIONS: Final[Mapping[str, Action]] = {
    "propose": Action(
        sanctions.propose,
        ProposeIn,
        explain=N_("The side concerned is told and may state its view. Another person decides."),
        done=N_("Proposed. The side concerned has been told."),
    ),
    "dismiss": Action(sanctions.dismiss, ReasonIn),
    "impose": Action(
        sanctions.impose,
        ReasonIn,
        explain=N_("The measure takes effect and is published at once."),
        done=N_("The measure is in force and public."),
        danger=True,
    ),
    "appeal": Action(sanctions.appeal, ReasonIn, explain=N_("The measure stays in force until the appeal is decided.")),
    "uphold": Action(sanctions.uphold, ReasonIn),
    "revoke": Action(sanctions.revoke, ReasonIn, explain=N_("Points and standing are restored at once."), danger=True),
    "make_statement": Action(
        sanctions.make_statement, StatementIn, label=N_("State my view"), done=N_("Your statement is handed in.")
    ),
    "apply_repair": Action(
        repairs.apply, RepairIn, label=N_("Apply for repair"), done=N_("The application is handed in.")
    ),
}
REPAIR_ACTIONS: Final[Mapping[str, Action]] = {
    "publicise": Action(
        repairs.publicise,
        PlainIn,
        explain=N_("You have checked that the violation is put right and its effects removed."),
    ),
    "grant": Action(repairs.grant, ReasonIn, explain=N_("The measure counts no longer and what it imposed is lifted.")),
    "refuse": Action(repairs.refuse, ReasonIn),
    "withdraw": Action(repairs.withdraw, PlainIn),
}


def sanction_actions(view: SanctionView) -> tuple[ActionView, ...]:
    """What the actor may do with a sanction now."""
    href = f"/sanctions/{view.id}"
    edges = actions_of(SANCTION, view.state, view.parts, href=href, table=SANCTION_ACTIONS, version=view.version)
    more = []
    if Part.PARTY in view.parts:
        if view.state == SanctionState.PROPOSED and view.statement is None:
            more.append("make_statement")
        if SANCTION.edge("repair", view.state) is not None:
            more.append("apply_repair")
        if view.appealed_at is not None:
            edges = tuple(edge for edge in edges if edge.name != "appeal")
    links = (action_link(href, name, SANCTION_ACTIONS[name], version=view.version) for name in more)
    return (*edges, *links)


def repair_actions(view: RepairView) -> tuple[ActionView, ...]:
    """What the actor may do with an application now."""
    href = f"/repairs/{view.id}"
    return actions_of(REPAIR, view.state, view.parts, href=href, table=REPAIR_ACTIONS, version=view.version)


def sanction_row_json(row: SanctionRow) -> dict[str, Any]:
    """One line of the list."""
    return {
        "id": str(row.id),
        "number": row.number,
        "organisation": row.organisation_name,
        "side": row.side,
        "level": row.level,
        "kind": row.kind,
        "points": row.points,
        "starts_on": row.starts_on.isoformat() if row.starts_on else None,
        "ends_on": row.ends_on.isoformat() if row.ends_on else None,
        "state": row.state,
    }


def sanction_json(view: SanctionView) -> dict[str, Any]:
    """A sanction; what is inside the procedure is told to its sides only."""
    document: dict[str, Any] = {
        "id": str(view.id),
        "number": view.number,
        "state": view.state,
        "version": view.version,
        "side": view.side,
        "organisation": view.organisation_name,
        "ground": view.ground,
        "level": view.level,
        "kind": view.kind,
        "points": view.points,
        "months": view.months,
        "facts": view.facts % view.facts_params if view.facts_params else view.facts,
        "decision": view.decision,
        "starts_on": view.starts_on.isoformat() if view.starts_on else None,
        "ends_on": view.ends_on.isoformat() if view.ends_on else None,
        "appeal_by": view.appeal_by.isoformat() if view.appeal_by else None,
        "appeal_decision": view.appeal_decision,
        "actions": api_actions(sanction_actions(view)),
    }
    if view.sees_inside:
        document |= {
            "statement": view.statement,
            "appeal": view.appeal,
            "evidence": [{"label": label, "href": href} for label, href in view.evidence],
        }
    return document


def repair_json(view: RepairView) -> dict[str, Any]:
    """An application for repair."""
    return {
        "id": str(view.id),
        "number": view.number,
        "state": view.state,
        "version": view.version,
        "sanction": view.sanction_number,
        "text": view.text,
        "publicity_ends_at": view.publicity_ends_at.isoformat() if view.publicity_ends_at else None,
        "decision": view.decision,
        "actions": api_actions(repair_actions(view)),
    }


def subject_href(subject: str) -> str | None:
    """The page of a fact's subject ("rating:<uuid>"); contracts have none for the public."""
    kind, _, identifier = subject.partition(":")
    pages = {"rating": "ratings", "sanction": "sanctions"}
    return f"/{pages[kind]}/{UUID(identifier)}" if kind in pages else None
