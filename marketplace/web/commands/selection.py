"""`flask selection ...`: results decided again by hand."""

import click
from flask.cli import AppGroup

from marketplace.services import selection

cli = AppGroup("selection", help="Results of selections.")


@cli.command("replay")
def replay() -> None:
    """Decide every stored result again; exits with 1 when one differs."""
    before = selection.count_of_alarms()
    done = selection.replay_all()
    different = selection.count_of_alarms() - before
    click.echo(f"{done} results decided again, {different} different")
    if different:
        raise click.exceptions.Exit(1)
