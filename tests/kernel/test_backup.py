"""A backup of a live database is whole, even while somebody writes."""

from pathlib import Path

import pytest
from flask import Flask
from pysqlite3 import dbapi2

from app.kernel.backup import back_up
from app.kernel.db import db, transaction
from app.kernel.errors import Conflict
from app.kernel.jobs import JobLease


def test_the_copy_holds_what_was_committed(app: Flask, database_kind: str, tmp_path: Path) -> None:
    if database_kind != "sqlite":
        with pytest.raises(Conflict, match="its own tools"):
            back_up(tmp_path / "copy.sqlite")
        return
    with transaction():
        db.session.add(JobLease(name="kept"))
    target = tmp_path / "copy.sqlite"
    with transaction() as session:
        session.add(JobLease(name="open"))
        session.flush()
        assert back_up(target) == target.stat().st_size > 0
    names = [row[0] for row in dbapi2.connect(str(target)).execute("SELECT name FROM job_lease")]
    assert names == ["kept"]
    with pytest.raises(Conflict, match="exists"):
        back_up(target)
