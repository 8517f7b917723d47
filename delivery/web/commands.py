"""flask delivery: what an operator does to carriers' reports on the command line."""

import click
import sqlalchemy as sa
from flask.cli import AppGroup

from app.kernel.access import SYSTEM
from app.kernel.db import db
from app.kernel.errors import DomainError
from delivery.models.replays import MappingReplay, ReplayMode
from delivery.policy import REPLAY
from delivery.queries import carriers as queries
from delivery.services.replay import AskReplay, ask_replay, carry_on

cli = AppGroup("delivery", help="Carriers and their reports.")
SHOWN = 50


@cli.command("replay")
@click.option("--real", is_flag=True, help="Write the new readings; without it nothing is changed.")
@click.option("--reason", default=None, help="Why; needed with --real.")
def replay(*, real: bool, reason: str | None) -> None:
    """Read all stored reports again under the present mapping and say which parcels would change."""
    operator = SYSTEM.__class__(None, None, SYSTEM.roles, "command line", frozenset({REPLAY}), is_system=True)
    try:
        replay_id = ask_replay(operator, AskReplay(ReplayMode.REAL if real else ReplayMode.TRIAL, reason))
    except DomainError as refusal:
        raise click.ClickException(refusal.detail or refusal.title) from refusal
    while db.session.scalar(sa.select(MappingReplay.finished_at).where(MappingReplay.id == replay_id)) is None:
        db.session.rollback()
        carry_on(pieces=10)
    found = next(each for each in queries.replays() if each.id == replay_id)
    click.echo(
        f"{found.parcels} parcels, {found.reports} reports, {found.changed_reports} read otherwise, "
        f"{found.unreadable} erased, {found.changed_parcels} parcels with another status"
    )
    for change in queries.change_views(list(db.session.execute(queries.changes_statement(replay_id).limit(SHOWN)))):
        click.echo(f"{change.number}  {change.before} -> {change.after}  ({change.codes})")
