"""`flask search ...`: the index by hand."""

import click
from flask.cli import AppGroup

from marketplace.search import IndexBusyError
from marketplace.services import search

cli = AppGroup("search", help="The search index.")


@cli.command("rebuild")
def rebuild() -> None:
    """Build the index anew from the database and switch to it."""
    try:
        done = search.rebuild()
    except IndexBusyError as failure:
        raise click.ClickException("Another process is writing the index. Try again in a moment.") from failure
    click.echo(f"generation {done.number}, {done.documents} documents")


@cli.command("health")
def health() -> None:
    """Say whether the index can answer."""
    state = search.index().health()
    click.echo(f"ready: {state.is_ready}, generation {state.generation}, {state.documents} documents {state.reason}")
