"""Pages of operators about carriers: who offers what, how asking goes, and reading the stored reports again."""

from uuid import UUID

from flask import Response, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext
from marshmallow import ValidationError
from werkzeug.wrappers import Response as BaseResponse

from app.kernel.errors import DomainError
from app.kernel.paging import page_of
from app.kernel.words import N_
from app.web import parsing
from app.web.forms import Form, errors_of
from app.web.guard import requires
from app.web.listing import page_answer
from app.web.operations import operation
from app.web.schemas import InputSchema, text
from app.web.session import current_actor
from delivery import policy
from delivery.models.replays import ReplayMode
from delivery.ports import Capability
from delivery.queries import carriers as queries
from delivery.services.replay import AskReplay, ask_replay
from delivery.web.api import TAG, api
from delivery.web.blueprint import pages
from delivery.web.schemas import PageQuery
from delivery.words import carrier_problem


class ReplayReasonIn(InputSchema):
    """Why the stored reports are to be read again for good."""

    reason = text(
        N_("Reason"), longest=2000, widget="textarea", hint=N_("Which codes were mended, and who decided it.")
    )


@pages.app_template_filter("carrier_problem")
def problem_in_words(problem: str | None) -> str:
    """What a stored failure means and what happens next, in the reader's language."""
    return gettext(carrier_problem(problem)) if problem else ""


@pages.get("/delivery/carriers")
@requires(policy.CARRIERS)
def carriers() -> str:
    """Carriers by capabilities, and how asking goes."""
    return render_template(
        "delivery/carriers.html",
        carriers=queries.carriers(),
        capabilities=queries.CAPABILITY_LABELS,
        asking=queries.asking(),
    )


@api.get("/carriers")
@requires(policy.CARRIERS)
@operation(N_("Which carrier offers what"), tag=TAG)
def carriers_json() -> Response:
    """The same table as data."""
    table = [
        {
            "code": each.code, "simulated": each.is_simulated,
            "capabilities": {str(name): "offered" if name in each.offers else "not_offered" for name in Capability},
        }
        for each in queries.carriers()
    ]  # fmt: skip
    return jsonify(items=table)


@pages.get("/delivery/mapping")
@requires(policy.REPLAY)
def mapping() -> str:
    """The mapping in use, the passes so far, and what the newest one reads otherwise."""
    return _mapping_page(Form(ReplayReasonIn()))


def _mapping_page(form: Form) -> str:
    known = queries.replays()
    wanted = request.args.get("pass", "")
    shown = next((each for each in known if str(each.id) == wanted), known[0] if known else None)
    page = None
    changes: tuple[queries.ChangeView, ...] = ()
    if shown is not None:
        page = page_of(queries.changes_statement(shown.id), number=parsing.query(PageQuery)["page"], scalars=False)
        changes = queries.change_views(list(page.items))
    trial = next((each for each in known if each.mode == ReplayMode.TRIAL and not each.is_running), None)
    mapping_view = queries.mapping_in_use()
    ready = trial is not None and trial.mapping_version == mapping_view.version and not any(r.is_running for r in known)
    return render_template(
        "delivery/mapping.html", mapping=mapping_view, replays=known, shown=shown, page=page, changes=changes, ready=ready,
        form=form,
    )  # fmt: skip


@pages.post("/delivery/mapping/<any(trial, real):mode>")
@requires(policy.REPLAY)
def replay(mode: str) -> BaseResponse | tuple[str, int]:
    """Begin a pass."""
    try:
        reason = parsing.form(ReplayReasonIn)["reason"] if mode == ReplayMode.REAL else None
        replay_id = ask_replay(current_actor(), AskReplay(ReplayMode(mode), reason))
    except ValidationError as failure:
        return _mapping_page(Form(ReplayReasonIn(), parsing.form_values(ReplayReasonIn), errors_of(failure))), 422
    except DomainError as refusal:
        flash(gettext(refusal.detail or refusal.title), "danger")
        return redirect(url_for("delivery.mapping"), 303)
    flash(gettext("Begun. The page shows what was found as soon as it has ended."), "success")
    return redirect(f"{url_for('delivery.mapping')}?pass={replay_id}", 303)


@api.get("/mapping-replays/<uuid:replay_id>")
@requires(policy.REPLAY)
@operation(N_("What a pass over the reports reads otherwise"), query=PageQuery, tag=TAG)
def replay_json(replay_id: UUID) -> Response:
    """The parcels of one pass, a page at a time."""
    page = page_of(queries.changes_statement(replay_id), number=parsing.query(PageQuery)["page"], scalars=False)
    items = [
        {"parcel_id": str(row.parcel_id), "number": number, "before": row.status_before, "after": row.status_after,
         "codes": row.codes.split(",")}
        for row, number in page.items
    ]  # fmt: skip
    return page_answer(page, items)
