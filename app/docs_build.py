"""flask docs build: the parts of docs/ that are written from the code. A test fails when they are stale."""

import inspect
from collections.abc import Iterator
from pathlib import Path

import click
from flask import Flask, current_app
from flask.cli import AppGroup

from app.kernel.errors import DomainError
from app.kernel.states import Machine

DOCS = Path(__file__).resolve().parent.parent / "docs"
docs_cli = AppGroup("docs", help="The generated parts of docs/.")


def pages(app: Flask) -> Iterator[tuple[Path, str]]:
    """Yield every generated page: its path and its text."""
    machines = [m for domain in app.extensions["chaoshi_domains"] for m in domain.machines]
    for machine in machines:
        yield DOCS / "states" / f"{machine.name}.md", state_page(machine)
    index = "".join(f"- [{m.name}]({m.name}.md)\n" for m in sorted(machines, key=lambda m: m.name))
    yield (
        DOCS / "states" / "README.md",
        f"# State machines\n\nWritten by `make docs` from the tables in the code.\n\n{index}",
    )
    yield DOCS / "problems.md", problems_page()


def state_page(machine: Machine) -> str:
    """Return the diagram of a machine and the table of its edges."""
    rows = "".join(
        f"| {e.action} | {', '.join(e.sources)} | {e.target} | {', '.join(e.who)} | {e.due or ''} |"
        f" {'yes' if e.needs_reason else ''} |\n"
        for e in machine.transitions
    )
    states = "".join(f"| {s} | {machine.labels[s]} | {machine.next_step.get(s, '')} |\n" for s in machine.states)
    return (
        f"# {machine.name}\n\n```mermaid\n{machine.mermaid()}\n```\n\n"
        "| Action | From | To | Who | Due | Reason |\n|---|---|---|---|---|---|\n" + rows + "\n"
        "| State | In words | Next step |\n|---|---|---|\n" + states
    )


def problems_page() -> str:
    """Return the table of problem types that the kernel and the domains raise by class."""
    kinds = sorted(_subclasses(DomainError), key=lambda k: (k.status, k.code))
    rows = "".join(
        f"| `/problems/{k.code}` | {k.status} | {k.title} | {_first_line(k)} |\n" for k in kinds if "code" in k.__dict__
    )
    return (
        "# Problem types\n\nAnswers under `/api` are `application/problem+json` (RFC 9457). Rules answer 422 (`Refused`)\n"
        "or 409 (`Conflict`) with their own code and a pointer to the field.\n\n"
        "| type | status | title | when |\n|---|---|---|---|\n" + rows
    )


def _subclasses(kind: type[DomainError]) -> set[type[DomainError]]:
    return {kind}.union(*(_subclasses(k) for k in kind.__subclasses__()))


def _first_line(kind: type) -> str:
    text = kind.__dict__.get("__doc__")
    return inspect.cleandoc(text).splitlines()[0] if text else ""


@docs_cli.command("build")
def build() -> None:
    """Write them."""
    for path, text in pages(current_app):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        click.echo(path.relative_to(DOCS.parent))
