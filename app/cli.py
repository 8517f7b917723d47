"""flask jobs | outbox | docs | backup, and the commands of the domains."""

from pathlib import Path
from uuid import UUID

import click
from flask import Flask, current_app
from flask.cli import AppGroup

from app.docs_build import docs_cli
from app.kernel import audit, outbox
from app.kernel.backup import back_up
from app.kernel.jobs import Job, run_once
from app.settings import Mode

jobs_cli = AppGroup("jobs", help="The jobs that the worker runs.")
audit_cli = AppGroup("audit", help="The tamper-evident log.")
outbox_cli = AppGroup("outbox", help="Events on their way to their handlers.")


def all_jobs(app: Flask) -> tuple[Job, ...]:
    """Return the jobs of the kernel and of all domains."""
    from app.scheduler import KERNEL_JOBS

    return KERNEL_JOBS + tuple(job for domain in app.extensions["chaoshi_domains"] for job in domain.jobs)


@jobs_cli.command("list")
def list_jobs() -> None:
    """List the jobs with their triggers."""
    for job in all_jobs(current_app):
        click.echo(f"{job.name:40} {job.trigger}  {job.description}")


@jobs_cli.command("run")
@click.argument("name")
def run_job(name: str) -> None:
    """Run one job now."""
    job = next((j for j in all_jobs(current_app) if j.name == name), None)
    if job is None:
        raise click.ClickException(f"no job is called {name}; see `flask jobs list`")
    click.echo(run_once(job))


@outbox_cli.command("drain")
def drain_outbox() -> None:
    """Run everything that is due."""
    click.echo(outbox.drain_all())


@outbox_cli.command("retry")
@click.argument("message_id", type=click.UUID)
def retry_message(message_id: UUID) -> None:
    """Put a dead message back to work."""
    outbox.revive(message_id)


@audit_cli.command("verify")
def verify_log() -> None:
    """Recompute the whole log and check every stored head; exit with an error when anything was changed."""
    verdict = audit.verify()
    click.echo(f"{verdict.events} events, {verdict.waiting} waiting, {verdict.erased} erased, {verdict.heads} heads")
    for problem in verdict.problems:
        click.echo(problem, err=True)
    if not verdict.sound:
        raise click.ClickException("the audit log is not sound")


@click.command("backup")
@click.argument("target", type=click.Path(path_type=Path))
def backup(target: Path) -> None:
    """Copy the live SQLite database to TARGET and check the copy."""
    click.echo(f"{back_up(target)} bytes")


def register(app: Flask) -> None:
    """Add the command groups to the application."""
    app.cli.add_command(jobs_cli)
    app.cli.add_command(outbox_cli)
    app.cli.add_command(audit_cli)
    app.cli.add_command(docs_cli)
    app.cli.add_command(backup)
    if app.extensions["chaoshi_settings"].mode is not Mode.PRODUCTION:
        from app.demo.seed import demo

        app.cli.add_command(demo)
    for domain in app.extensions["chaoshi_domains"]:
        for group in domain.commands:
            app.cli.add_command(group)
