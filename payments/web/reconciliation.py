"""Pages and API of reconciliation: comparisons, mismatches, and the close of each business day."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from app.kernel import clock
from app.kernel.access import Actor
from app.kernel.calendar import start_of_day
from app.kernel.money import Money
from app.kernel.timeline import thread_entries
from app.kernel.words import N_
from app.web import parsing
from app.web.actions import Action, action_link, actions_of, api_actions, register_actions
from app.web.forms import Form
from app.web.guard import requires
from app.web.listing import page_answer
from app.web.operations import operation
from app.web.session import current_actor
from app.web.spreadsheets import csv_answer
from payments import day_paper
from payments.policy import Permission
from payments.ports import GatewayError
from payments.queries import closing
from payments.queries import mismatches as reads
from payments.queries.closing import DayFigures, DayView
from payments.queries.mismatches import MismatchView
from payments.services import GatewayUnreachable, reconciliation
from payments.states import DAY_CLOSE, MISMATCH, MISMATCH_LABELS, DayState, MismatchKind, MismatchState, Part
from payments.web import wording
from payments.web.books_schemas import UNFINISHED, DayQuery, ExplainIn, MismatchQuery, ReopenDayIn, SignDayIn

bp = Blueprint("reconciliation", __name__)
api = Blueprint("reconciliation_api", __name__, url_prefix="/api")

TONES = {
    MismatchState.OPEN: "danger", MismatchState.BOOKED: "waiting", MismatchState.CLOSED: "success",
    MismatchState.RESOLVED: "neutral",
}  # fmt: skip
DAY_TONES = {DayState.OPEN: "waiting", DayState.SIGNED: "active", DayState.CLOSED: "success"}


MISMATCH_ACTIONS = {
    "close": Action(reconciliation.close_mismatch, ExplainIn, done=N_("Closed, with your explanation.")),
    "book": Action(
        reconciliation.book_mismatch, ExplainIn,
        explain=N_("What came in is set aside, what went out becomes money to be got back, until somebody knows more. Somebody else checks it."),
    ),
    "reopen": Action(reconciliation.reopen_mismatch, ExplainIn),
}  # fmt: skip
ASK_AGAIN = Action(
    lambda actor, object_id, _command: reconciliation.ask_again(actor, object_id), label=N_("Ask the provider now")
)


def _bank_sums(actor: Actor, close_id: UUID) -> dict[str, Any]:
    """What the imported statements say of the day, so that nobody types it."""
    told = closing.bank_told(closing.day_page(actor, close_id).day)
    return {} if told is None else {"bank_in": told[0], "bank_out": told[1]}


DAY_ACTIONS = {
    "sign": Action(
        reconciliation.sign_day, SignDayIn, prefill=_bank_sums,
        explain=N_("With your signature you answer for these figures. A second person confirms them."),
        done=N_("Signed. A second person must confirm."),
    ),
    "confirm": Action(reconciliation.confirm_day, done=N_("Confirmed. The day is closed.")),
    "send_back": Action(reconciliation.send_day_back, ReopenDayIn),
    "reopen": Action(
        reconciliation.reopen_day, ReopenDayIn, danger=True,
        explain=N_("The signatures are taken back and stay in the log. The day is signed and confirmed anew."),
    ),
}  # fmt: skip


# --- comparisons and mismatches ---------------------------------------------------------------------------------------


@bp.get("/books/mismatches")
@requires(Permission.BOOKS_READ)
def mismatches() -> str:
    """What stands differently here and there, by kind; first what still needs somebody."""
    wanted = _mismatch_query()
    return render_template(
        "payments/books/mismatches.html",
        page=reads.mismatches_page(kind=wanted["kind"], state=wanted["state"], number=wanted["page"]),
        form=Form(
            MismatchQuery(only=("kind", "state")), {"kind": wanted["kind"] or "", "state": wanted["state"] or ""}
        ),
        counts=reads.unfinished_by_kind(),
        checks=reads.checks_page().items[:5],
        kinds=MISMATCH_LABELS,
        labels=MISMATCH.labels,
        tones=TONES,
        may_compare=current_actor().may(Permission.BOOKS_RECONCILE),
    )


def _mismatch_query() -> dict[str, Any]:
    wanted: dict[str, Any] = dict(parsing.query(MismatchQuery))
    if wanted["state"] is None and "state" not in request.args:
        wanted["state"] = UNFINISHED
    return wanted


@bp.get("/books/mismatches.csv")
@requires(Permission.BOOKS_READ)
def mismatches_csv() -> Response:
    """The same list for a spreadsheet."""
    wanted = _mismatch_query()
    rows = [
        (
            row.found_at.isoformat(), _(MISMATCH_LABELS[MismatchKind(row.kind)]), row.ref, wording.difference_text(row.what),
            *("" if fen is None else Money(fen).yuan for fen in (row.ours_fen, row.theirs_fen)), row.currency,
            _(MISMATCH.labels[MismatchState(row.state)]), row.booked_by_name, row.closed_by_name, row.note or "",
        )
        for row in reads.all_mismatches(kind=wanted["kind"], state=wanted["state"])
    ]  # fmt: skip
    heads = ("Found at", "Kind", "Reference", "What for", "Ours", "Theirs", "Currency", "State", "Booked by", "Closed by",
             "Explanation")  # fmt: skip
    return csv_answer(f"mismatches-{clock.today()}.csv", heads, rows)


@bp.get("/books/mismatches/<uuid:object_id>")
@requires(Permission.BOOKS_READ)
def mismatch(object_id: UUID) -> str:
    """One mismatch: both sides, who may do what about it, and what was done."""
    actor = current_actor()
    view = reads.mismatch_page(actor, object_id)
    return render_template(
        "payments/books/mismatch.html",
        mismatch=view,
        kind_label=MISMATCH_LABELS[MismatchKind(view.kind)],
        state_label=MISMATCH.labels[MismatchState(view.state)],
        next_step=MISMATCH.next_step.get(MismatchState(view.state)),
        tone=TONES[MismatchState(view.state)],
        advice=_advice(view),
        actions=_mismatch_actions(view),
        booked_by_me=view.booked_by is not None and view.booked_by == actor.user_id,
        entries=tuple(reversed(thread_entries(view.thread_id, actor))),
    )


def _advice(view: MismatchView) -> str:
    advice: dict[MismatchKind, str] = {
        MismatchKind.MISSING_HERE: _("Money moved at the provider that no posting of ours knows. Ask the provider now: a payment that we lost is found and booked. If it stays, find the object in the provider's dashboard, then book it as unexplained."),
        MismatchKind.MISSING_THERE: _("Our books say that money moved, and the provider does not. Check that the books are compared with the right account. A posting is never erased: it is reversed by another one."),
        MismatchKind.AMOUNT: _("Both sides know the movement and name different amounts. Compare the provider's fee and the posting."),
        MismatchKind.CURRENCY: _("The money moved in another currency than the books say. It must not be counted as yuan."),
        MismatchKind.STUCK: _("It was asked about every minute and has no end. Ask the provider now; if nothing changes, look the object up in the provider's dashboard."),
    }  # fmt: skip
    return advice[MismatchKind(view.kind)]


def _mismatch_actions(view: MismatchView) -> tuple[Any, ...]:
    href = f"/books/mismatches/{view.id}"
    table = {
        name: action
        for name, action in MISMATCH_ACTIONS.items()
        if name != "book" or view.kind == MismatchKind.MISSING_HERE
    }
    edges = actions_of(MISMATCH, view.state, view.parts, href=href, table=table, version=view.version)
    may_ask = Part.OPERATOR in view.parts and view.is_open
    return (*edges, *([action_link(href, "ask_again", ASK_AGAIN)] if may_ask else []))


@bp.post("/books/mismatches/<uuid:object_id>/actions/ask_again")
@requires(Permission.BOOKS_RECONCILE)
def ask_again(object_id: UUID) -> BaseResponse:
    """Ask the provider about a mismatch now; with no transaction open, so it is no step of the machine."""
    try:
        reconciliation.ask_again(current_actor(), object_id)
    except GatewayUnreachable as failure:
        flash(_(failure.title), "warning")
    else:
        flash(_("The provider was asked; below is how it stands now."), "success")
    return redirect(url_for("reconciliation.mismatch", object_id=object_id), 303)


@api.post("/books/mismatches/<uuid:object_id>/actions/ask_again")
@requires(Permission.BOOKS_RECONCILE)
@operation(N_("Ask the provider about a mismatch now"), tag="books")
def call_ask_again(object_id: UUID) -> Response:
    """Ask the provider now; the mismatch as it stands afterwards."""
    reconciliation.ask_again(current_actor(), object_id)
    return jsonify(mismatch_json(reads.mismatch_page(current_actor(), object_id)))


@bp.post("/books/compare")
@requires(Permission.BOOKS_RECONCILE)
def compare() -> BaseResponse:
    """Compare the books with the provider now."""
    actor = current_actor()
    try:
        found = reconciliation.check_books(actor)
    except GatewayError:
        flash(_(GatewayUnreachable.title), "warning")
    else:
        flash(_("Compared: %(count)s differences.", count=found) if found else _("Compared: both sides agree."),
              "warning" if found else "success")  # fmt: skip
    back = request.form.get("back", "")
    return redirect(back if back.startswith("/books") else url_for("reconciliation.mismatches"), 303)


# --- the close of a day -----------------------------------------------------------------------------------------------


@bp.get("/books/days")
@requires(Permission.BOOKS_READ)
def days() -> str:
    """The business days with their closes, and the last thirty days as a plot."""
    wanted = parsing.query(DayQuery)
    return render_template(
        "payments/books/days.html",
        page=closing.days_page(state=wanted["state"], number=wanted["page"]),
        form=Form(DayQuery(only=("state",)), {"state": wanted["state"] or ""}),
        flows=closing.flows(clock.today()),
        labels=DAY_CLOSE.labels,
        tones=DAY_TONES,
    )


@bp.get("/books/days/<uuid:object_id>")
@requires(Permission.BOOKS_READ)
def day(object_id: UUID) -> str:
    """One business day: our books, the provider and the bank side by side; who signed, who confirmed."""
    actor = current_actor()
    view = closing.day_page(actor, object_id)
    assert view.figures is not None, "the page fills the figures of an open day"
    return render_template(
        "payments/books/day.html",
        day=view,
        figures=view.figures,
        state_label=DAY_CLOSE.labels[DayState(view.state)],
        next_step=DAY_CLOSE.next_step.get(DayState(view.state)),
        tone=DAY_TONES[DayState(view.state)],
        actions=actions_of(DAY_CLOSE, view.state, view.parts, href=f"/books/days/{view.id}", table=DAY_ACTIONS,
                           version=view.version),
        is_over=clock.now() >= start_of_day(view.day + timedelta(days=1)),
        signed_by_me=view.signed_by is not None and view.signed_by == actor.user_id,
        may_compare=actor.may(Permission.BOOKS_RECONCILE),
        entries=tuple(reversed(thread_entries(view.thread_id, actor))),
    )  # fmt: skip


@bp.get("/books/days/<uuid:object_id>/sheet.csv")
@requires(Permission.BOOKS_READ)
def day_csv(object_id: UUID) -> Response:
    """The figures of a day for a spreadsheet."""
    view = closing.day_page(current_actor(), object_id)
    assert view.figures is not None, "the page fills the figures of an open day"
    rows = [
        (line.gateway, wording.movement_text(line.kind), str(line.ours_count), Money(line.ours_fen).yuan,
         str(line.theirs_count), Money(line.theirs_fen).yuan, Money(line.difference_fen).yuan)
        for line in view.figures.lines
    ]  # fmt: skip
    rows += [
        (balance.gateway, _("Balance at the end of the day"), "", Money(balance.ours_fen).yuan, "",
         "" if balance.theirs_fen is None else Money(balance.theirs_fen).yuan,
         "" if balance.theirs_fen is None else Money(balance.ours_fen - balance.theirs_fen).yuan)
        for balance in view.figures.balances
    ]  # fmt: skip
    heads = ("Provider", "Kind", "Number in our books", "Our books", "Number at the provider", "Provider's statement",
             "Difference")  # fmt: skip
    return csv_answer(f"day-{view.day}.csv", heads, rows)


@bp.get("/books/days/<uuid:object_id>/sheet.pdf")
@requires(Permission.BOOKS_READ)
def day_pdf(object_id: UUID) -> Response:
    """The sheet of a day on paper."""
    view = closing.day_page(current_actor(), object_id)
    headers = {"Content-Disposition": f'attachment; filename="day-{view.day}.pdf"'}
    return Response(day_paper.sheet(view), mimetype="application/pdf", headers=headers)


# --- the same as JSON -------------------------------------------------------------------------------------------------


@api.get("/books/mismatches")
@requires(Permission.BOOKS_READ)
@operation(N_("List mismatches"), query=MismatchQuery, tag="books")
def list_mismatches() -> Response:
    """A page of mismatches; those that still need somebody where no state is given."""
    wanted = _mismatch_query()
    page = reads.mismatches_page(kind=wanted["kind"], state=wanted["state"], number=wanted["page"])
    return page_answer(page, [_mismatch_facts(row) for row in page.items])


@api.get("/books/mismatches/<uuid:object_id>")
@requires(Permission.BOOKS_READ)
@operation(N_("Read a mismatch"), tag="books")
def read_mismatch(object_id: UUID) -> Response:
    """One mismatch and what I may do about it."""
    return jsonify(mismatch_json(reads.mismatch_page(current_actor(), object_id)))


def _mismatch_facts(view: MismatchView) -> dict[str, Any]:
    return {
        "id": str(view.id),
        "gateway": view.gateway,
        "kind": view.kind,
        "ref": view.ref,
        "what": view.what,
        "ours_fen": view.ours_fen,
        "theirs_fen": view.theirs_fen,
        "currency": view.currency,
        "state": view.state,
        "note": view.note,
        "found_at": view.found_at.isoformat(),
        "closed_at": view.closed_at.isoformat() if view.closed_at else None,
        "version": view.version,
    }


def mismatch_json(view: MismatchView) -> dict[str, Any]:
    """A mismatch as the API answers it."""
    return _mismatch_facts(view) | {"actions": api_actions(_mismatch_actions(view))}


@api.get("/books/days")
@requires(Permission.BOOKS_READ)
@operation(N_("List the closes of days"), query=DayQuery, tag="books")
def list_days() -> Response:
    """A page of business days, newest first."""
    wanted = parsing.query(DayQuery)
    page = closing.days_page(state=wanted["state"], number=wanted["page"])
    return page_answer(page, [_day_facts(row) for row in page.items])


@api.get("/books/days/<uuid:object_id>")
@requires(Permission.BOOKS_READ)
@operation(N_("Read the close of a day"), tag="books")
def read_day(object_id: UUID) -> Response:
    """One business day with its figures and what I may do."""
    return jsonify(day_json(closing.day_page(current_actor(), object_id)))


def _day_facts(view: DayView) -> dict[str, Any]:
    return {
        "id": str(view.id),
        "day": view.day.isoformat(),
        "state": view.state,
        "signed_by": view.signed_by_name,
        "confirmed_by": view.confirmed_by_name,
        "open_mismatches": view.open_mismatches,
        "reason": view.reason,
        "bank_in_fen": view.bank_in_fen,
        "bank_out_fen": view.bank_out_fen,
        "version": view.version,
    }


def day_json(view: DayView) -> dict[str, Any]:
    """A day as the API answers it."""
    figures: DayFigures | None = view.figures
    possible = actions_of(DAY_CLOSE, view.state, view.parts, href=f"/books/days/{view.id}", table=DAY_ACTIONS,
                          version=view.version)  # fmt: skip
    return _day_facts(view) | {
        "figures": figures.to_json() if figures is not None else None,
        "actions": api_actions(possible),
    }


register_actions(
    bp, api, machine=MISMATCH, path="/books/mismatches/<uuid:object_id>", table=MISMATCH_ACTIONS, view=reads.mismatch_page,
    detail="reconciliation.mismatch", to_json=mismatch_json,
)  # fmt: skip
register_actions(
    bp, api, machine=DAY_CLOSE, path="/books/days/<uuid:object_id>", table=DAY_ACTIONS, view=closing.day_page,
    detail="reconciliation.day", to_json=day_json,
)  # fmt: skip
