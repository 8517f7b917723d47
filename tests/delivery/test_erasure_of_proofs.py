"""After the retention time nothing of a door stands in the database file or among the stored files: names, photo, signature."""

import os
from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from app.documents import register
from app.kernel import audit, clock, files, outbox
from app.kernel.db import db, transaction
from app.kernel.files import StoredFile
from delivery import jobs
from delivery.carriers import chosen
from delivery.carriers.simulated import SimulatedCarrier
from delivery.models.proofs import DoorRecord
from delivery.queries.proofs import proof_paper
from tests.delivery.builders import Hall, a_hall, parcel
from tests.delivery.rounds_builders import Carried, a_courier, a_picture, a_round, an_own_parcel, delivered, upload
from tests.delivery.test_recipients import file_of, forms_of

NAME, MOBILE, STREET, NOTE = "买买提江𠮷野", "13977771234", "育才巷97号甲幢1806室", "门口交给买买提江𠮷野本人"


@pytest.fixture
def hall(app: Flask) -> Iterator[Hall]:
    with chosen.using(SimulatedCarrier()):
        yield a_hall()


@pytest.fixture
def carried(hall: Hall) -> Carried:
    """A delivery with photo, signature and a note, whose proof is issued."""
    parcel_id = an_own_parcel(hall)
    with transaction():
        row = parcel(parcel_id)
        row.receiver_name, row.receiver_mobile, row.receiver_address = NAME, MOBILE, STREET
    out = a_round(hall, a_courier(hall), parcel_id)
    photo, signature = a_picture("JPEG", NAME), a_picture("PNG", NAME)
    upload(out, delivered(out, parcel_id, signer_name=NAME, note=NOTE, photo=photo, signature=signature))
    outbox.drain_all()
    return out


def stored_bytes() -> bytes:
    """Every stored file, one after the other."""
    root = files.path_of("0" * 64).parents[2]
    return b"".join(each.read_bytes() for each in sorted(root.rglob("*")) if each.is_file())


@pytest.mark.usefixtures("carried")
def test_nothing_of_the_door_is_left(database: str, app: Flask) -> None:
    if not database.startswith("sqlite"):
        pytest.skip("searches the file of SQLite")
    record = db.session.scalars(sa.select(DoorRecord)).one()
    (issued,) = register.issued_for(f"door-record:{record.id}")
    pdf = files.content(issued.file_id)
    pictures = (a_picture("JPEG", NAME), a_picture("PNG", NAME))
    assert all(each in stored_bytes() for each in (*pictures, pdf))
    before = file_of(database)
    assert all(any(form in before for form in forms_of(each)) for each in (NAME, MOBILE, STREET, NOTE))
    with transaction():
        db.session.execute(sa.text("UPDATE parcel SET state='closed'"))
    with clock.at(clock.now() + timedelta(days=181)):
        assert (jobs.erase_receivers(), jobs.erase_receivers()) == (1, 0)
        outbox.drain_all()
        db.session.remove()
        assert jobs.compact_after_erasure() == 1
        check = app.test_client().get(f"/check/{issued.code}", headers={"Accept-Language": "en"}).text
    after, kept = file_of(database), stored_bytes()
    assert [each for each in (NAME, MOBILE, STREET, NOTE) for form in forms_of(each) if form in after] == []
    assert [len(each) for each in (*pictures, pdf) if each in kept] == []
    paper = register.find(issued.code)
    assert (paper.sha256, paper.redacted_at is not None, paper.facts) == (issued.sha256, True, issued.facts)
    redacted = files.content(paper.file_id)
    assert redacted.startswith(b"%PDF") and redacted != pdf
    assert "Genuine" in check and "Personal data deleted" in check and issued.sha256 in check
    found = proof_paper(record.id)
    assert (found.receiver, found.signer_name, found.signature_file_id, bool(found.photo_sha256)) == (
        "",
        "",
        None,
        True,
    )
    audit.sequence_all()
    assert audit.verify().problems == ()


@pytest.mark.usefixtures("carried")
def test_an_erasure_that_fails_loses_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes go with the commit: a transaction that is rolled back leaves rows whose files can be read."""
    from delivery.services import erasure

    def broken(*_: object) -> None:
        raise RuntimeError("disk")

    with transaction():
        db.session.execute(sa.text("UPDATE parcel SET state='closed'"))
    monkeypatch.setattr(erasure.documents, "redact_proof", broken)
    with clock.at(clock.now() + timedelta(days=181)), pytest.raises(RuntimeError, match="disk"):
        jobs.erase_receivers()
    db.session.rollback()
    record = db.session.scalars(sa.select(DoorRecord)).one()
    assert record.photo_file_id and record.signature_file_id
    assert files.content(record.photo_file_id) == a_picture("JPEG", NAME)
    assert all(files.content(each) for each in db.session.scalars(sa.select(StoredFile.id)))


@pytest.mark.usefixtures("carried")
def test_bytes_that_nothing_names_are_swept() -> None:
    """What a rolled-back upload left behind goes after a day; what is named stays, however old."""
    stray = files.path_of("ab" * 32)
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"somebody's signature")
    assert files.sweep() == 0
    for each in stray.parents[2].rglob("*"):
        os.utime(each, (0, 0))
    assert (files.sweep(), stray.exists()) == (1, False)
    assert all(files.content(each) for each in db.session.scalars(sa.select(StoredFile.id)))
