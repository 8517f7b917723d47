"""Uploaded files: an allow-list by content, 20 MiB, stored once by their hash, never shown inline from our origin.

The name and type that a browser claims are hints; what counts is what the bytes are. A file is kept below the data
directory under its SHA-256, so the same bytes are stored once and a changed file on disk is noticed when it is read.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import os
import re
import secrets
import time
import unicodedata
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Final, Self
from uuid import UUID

import filetype
import sqlalchemy as sa
from flask import Response, current_app, send_file
from PIL import Image
from sqlalchemy import event
from sqlalchemy.orm import Mapped, mapped_column
from werkzeug.datastructures import FileStorage

from app.kernel import audit, clock
from app.kernel.access import Actor
from app.kernel.db import Base, db, get, new_id, use_case, uuid_pk
from app.kernel.errors import DomainError, NotFound, Refused
from app.kernel.words import N_

MAX_BYTES: Final = 20 * 1024 * 1024
MAX_PIXELS: Final = 60_000_000
MAX_ENTRIES: Final = 2000
MAX_UNPACKED: Final = 200 * 1024 * 1024
MAX_RATIO: Final = 120
"""Office documents pack 5-20 to 1; beyond this an archive is made to exhaust whoever opens it."""

PDF: Final = "application/pdf"
PNG: Final = "image/png"
JPEG: Final = "image/jpeg"
DOCX: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ZIP: Final = "application/zip"
CSV: Final = "text/csv"
TEXT: Final = "text/plain"
SUFFIXES: Final[Mapping[str, tuple[str, ...]]] = {
    PDF: (".pdf",),
    PNG: (".png",),
    JPEG: (".jpg", ".jpeg"),
    DOCX: (".docx",),
    XLSX: (".xlsx",),
    ZIP: (".zip",),
    CSV: (".csv",),
    TEXT: (".txt",),
}
ACCEPT: Final = ",".join(suffix for suffixes in SUFFIXES.values() for suffix in suffixes)
"""For the `accept` attribute of a file field."""


class TooLarge(DomainError):
    code = "file-too-large"
    title = N_("The file is larger than 20 MiB")
    status = 413


class UnsupportedFile(DomainError):
    """The bytes are not one of the allowed kinds, or not a sound one."""

    code = "file-not-accepted"
    title = N_("Upload a PDF, PNG, JPEG, DOCX, XLSX, ZIP, CSV or TXT file")
    status = 415


class StoredFile(Base):
    """One upload. `sha256` is also its place below the data directory; `name` is cleaned and only ever shown or offered."""

    __tablename__ = "stored_file"
    id: Mapped[UUID] = uuid_pk()
    sha256: Mapped[str] = mapped_column(sa.String(64), index=True)
    size: Mapped[int]
    media_type: Mapped[str] = mapped_column(sa.String(100))
    name: Mapped[str] = mapped_column(sa.String(200))
    uploaded_by: Mapped[UUID | None]
    organisation_id: Mapped[UUID | None]
    uploaded_at: Mapped[datetime]


@dataclass(frozen=True)
class Upload:
    """What came in: the claimed name and the bytes."""

    name: str
    content: bytes

    @classmethod
    def from_storage(cls, storage: FileStorage) -> Self:
        """Read a form's file, at most one byte beyond the limit. Raises TooLarge."""
        content = storage.stream.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise TooLarge
        return cls(storage.filename or "", content)


FurtherTypes = Mapping[str, tuple[str, Callable[[bytes], bool]]]
"""Kinds that one use accepts besides the usual ones: media type to suffix and test of the bytes."""


@use_case
def keep(upload: Upload, actor: Actor | None = None, also: FurtherTypes | None = None) -> StoredFile:
    """Check and store a file. Returns its row, whose id others refer to. `also`: further kinds that this use accepts.

    The bytes are on disk before the row commits; a rolled-back upload leaves bytes that nothing names, never a row
    without bytes. Raises Refused (empty), TooLarge, UnsupportedFile.
    """
    media_type = _further_type(upload, also or {}) or check(upload)
    digest = hashlib.sha256(upload.content).hexdigest()
    _write_once(path_of(digest), upload.content)
    row = StoredFile(
        id=new_id(),
        sha256=digest,
        size=len(upload.content),
        media_type=media_type,
        name=clean_name(upload.name, media_type),
        uploaded_by=actor.user_id if actor else None,
        organisation_id=actor.organisation_id if actor else None,
        uploaded_at=clock.now(),
    )
    db.session.add(row)
    db.session.flush()  # the caller's rows refer to it by id in the same transaction
    if actor is not None:
        audit.append(
            action="file.keep",
            object_type="file",
            object_id=row.id,
            actor=actor,
            body={"sha256": digest, "size": row.size, "media_type": media_type},
        )
    return row


def _further_type(upload: Upload, also: FurtherTypes) -> str | None:
    suffix = PurePosixPath(upload.name.replace("\\", "/")).suffix.lower()
    for media_type, (wanted, is_such) in also.items():
        if suffix == wanted and upload.content and len(upload.content) <= MAX_BYTES:
            if upload.content[:4] == b"PK\x03\x04":
                _archive(upload.content)
            if not is_such(upload.content):
                raise UnsupportedFile(N_("The name of the file does not fit its contents."))
            return media_type
    return None


def check(upload: Upload) -> str:
    """The media type that the bytes prove. Pure. Raises Refused (empty), TooLarge, UnsupportedFile."""
    if not upload.content:
        raise Refused("file-empty", N_("The file is empty."), field="file")
    if len(upload.content) > MAX_BYTES:
        raise TooLarge
    media_type = _media_type(upload)
    suffix = PurePosixPath(upload.name.replace("\\", "/")).suffix.lower()
    if suffix not in SUFFIXES[media_type]:
        raise UnsupportedFile(N_("The name of the file does not fit its contents."))
    return media_type


def clean_name(name: str, media_type: str) -> str:
    """The last part of the name without control and direction characters, at most 120 characters, with its suffix."""
    last = unicodedata.normalize("NFC", name.replace("\\", "/").rpartition("/")[2])
    visible = "".join(
        char for char in last if unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    )
    stem = re.sub(r'[<>:"|?*]', "_", PurePosixPath(visible).stem).strip(" .")[:120] or "file"
    suffix = PurePosixPath(visible).suffix.lower()
    known = SUFFIXES.get(media_type, (suffix,))
    return stem + (suffix if suffix in known else known[0])


def content(file_id: UUID) -> bytes:
    """The bytes of a stored file. Raises NotFound, and RuntimeError when they no longer match their hash."""
    row = get(StoredFile, file_id)
    return _verified(row)


def send(file_id: UUID) -> Response:
    """Answer with the file as a download. The caller's route decides who may; the browser never renders it as ours."""
    row = get(StoredFile, file_id)
    response = send_file(
        io.BytesIO(_verified(row)),
        mimetype=row.media_type,
        as_attachment=True,
        download_name=row.name,
        etag=row.sha256,
        max_age=0,
    )
    return harden(response)


def harden(response: Response) -> Response:
    """Set the headers that keep a download from acting as a page of this site."""
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Cache-Control"] = "private, no-store"
    return response


# --- where the bytes lie ----------------------------------------------------------------------------------------


def path_of(digest: str) -> Path:
    return Path(current_app.config["DATA_DIR"]) / "files" / digest[:2] / digest[2:4] / digest


def _write_once(path: Path, content: bytes) -> None:
    if path.exists():
        os.utime(path)  # in use again: `sweep` leaves it alone
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{secrets.token_hex(8)}")
    with draft.open("xb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    draft.chmod(0o440)
    draft.replace(path)


def _verified(row: StoredFile) -> bytes:
    path = path_of(row.sha256)
    if not path.exists():
        raise NotFound
    stored = path.read_bytes()
    if hashlib.sha256(stored).hexdigest() != row.sha256:
        raise RuntimeError(f"stored file {row.id} no longer matches its hash")
    return stored


# --- what the bytes are -----------------------------------------------------------------------------------------


def _media_type(upload: Upload) -> str:
    kind = filetype.guess(upload.content)
    mime = kind.mime if kind else ""
    if mime in {DOCX, XLSX, ZIP} or upload.content[:4] == b"PK\x03\x04":
        return _archive(upload.content)
    if test := _STRUCTURE.get(mime):
        test(upload.content)
        return str(mime)
    if mime:
        raise UnsupportedFile
    _plain_text(upload.content)
    return CSV if upload.name.lower().endswith(".csv") else TEXT


_PDF_ACTIVE: Final = re.compile(rb"/(?:JavaScript|JS|Launch|EmbeddedFile|RichMedia|XFA)[\s/(<\[]")


_PDF_STREAM: Final = re.compile(rb">>\s{0,8}stream\r?\n")
_PDF_DICTIONARY: Final = 400
"""How far before a stream its dictionary is looked for, in bytes."""
_MOST_INFLATED: Final = 8 << 20


def _pdf_objects(content: bytes) -> Iterator[bytes]:
    """What a reader takes for objects: everything outside streams, and the inside of object streams.

    Pictures, fonts and drawings are left out: in some thousand files their compressed bytes spell any name by chance.
    """
    outside, end = [], 0
    while stream := _PDF_STREAM.search(content, end):
        outside.append(content[end : stream.end()])
        begin, end = stream.end(), content.find(b"endstream", stream.end())
        if end < 0:
            break
        if b"/ObjStm" in content[max(0, begin - _PDF_DICTIONARY) : begin]:
            try:
                yield zlib.decompressobj().decompress(content[begin:end], _MOST_INFLATED)
            except zlib.error:
                yield content[begin:end]
    yield b"".join((*outside, content[max(end, 0) :] if end >= 0 else b""))


def _pdf(content: bytes) -> None:
    sound = (
        re.match(rb"%PDF-(?:1\.[0-7]|2\.0)", content)
        and b"startxref" in content[-4096:]
        and b"%%EOF" in content[-1024:]
    )
    if not sound:
        raise UnsupportedFile(N_("The PDF is damaged or incomplete."))
    if any(_PDF_ACTIVE.search(part) for part in _pdf_objects(content)):
        raise UnsupportedFile(
            N_("The PDF contains scripts, forms or attachments. Print it to a plain PDF and try again.")
        )


def _image(content: bytes) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise UnsupportedFile(N_("The picture is too large to be opened safely."))
                image.verify()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UnsupportedFile(N_("The picture is damaged.")) from error


def _archive(content: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            for entry in entries:
                _entry(entry)
            _limits(entries)
            names = {entry.filename for entry in entries}
            if archive.testzip() is not None:
                raise UnsupportedFile(N_("The archive is damaged."))
    except (zipfile.BadZipFile, NotImplementedError, EOFError, RuntimeError, OSError, ValueError) as error:
        raise UnsupportedFile(N_("The archive is damaged.")) from error
    if any(PurePosixPath(name).name.lower() == "vbaproject.bin" for name in names):
        raise UnsupportedFile(N_("Documents with macros are not accepted."))
    if "[Content_Types].xml" not in names:
        return ZIP
    if "word/document.xml" in names:
        return DOCX
    if "xl/workbook.xml" in names:
        return XLSX
    raise UnsupportedFile


def _entry(entry: zipfile.ZipInfo) -> None:
    path = PurePosixPath(entry.filename.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in entry.filename or "\x00" in entry.orig_filename:
        raise UnsupportedFile(N_("The archive contains unsafe paths."))
    if entry.flag_bits & 0x1:
        raise UnsupportedFile(N_("The archive is encrypted, so nobody could check it."))
    if (entry.external_attr >> 16) & 0o170000 == 0o120000:
        raise UnsupportedFile(N_("The archive contains links."))
    if path.suffix.lower() in _FORBIDDEN_INSIDE:
        raise UnsupportedFile(N_("The archive contains programs or further archives."))


def _limits(entries: list[zipfile.ZipInfo]) -> None:
    """Refuse a bomb by what its directory declares; zipfile itself stops an entry that unpacks to more than declared."""
    unpacked = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries)
    if (
        len(entries) > MAX_ENTRIES
        or unpacked > MAX_UNPACKED
        or (unpacked > 1_000_000 and unpacked > packed * MAX_RATIO)
    ):
        raise UnsupportedFile(N_("The archive unpacks to too much."))


_FORBIDDEN_INSIDE: Final = frozenset(
    {".exe", ".dll", ".bat", ".cmd", ".com", ".scr", ".js", ".vbs", ".ps1", ".msi", ".jar", ".lnk", ".hta"}
    | {".zip", ".rar", ".7z", ".gz", ".tar", ".xz", ".bz2", ".zst", ".iso"}
)


def _plain_text(content: bytes) -> None:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if all(char >= " " or char in "\t\r\n" for char in text) and not text.lstrip().startswith(("<", "%!")):
            return
        break
    raise UnsupportedFile


_STRUCTURE: Final[Mapping[str, Callable[[bytes], None]]] = {PDF: _pdf, PNG: _image, JPEG: _image}


@use_case
def erase(file_id: UUID) -> None:
    """Erase an upload: its row now, its bytes with the commit, unless another row names the same ones. Bears a repeat.

    A rolled-back erasure loses nothing.
    """
    row = db.session.get(StoredFile, file_id)
    if row is None:
        return
    digest = row.sha256
    db.session.delete(row)
    event.listen(db.session(), "after_commit", lambda _session: _unlink_unnamed(digest), once=True)


def _unlink_unnamed(digest: str) -> None:
    """Remove bytes that no row names any more; on a connection of its own, because the session has just committed."""
    with db.engine.connect() as connection:
        named = connection.execute(sa.select(StoredFile.id).where(StoredFile.sha256 == digest).limit(1)).first()
    if named is None:
        path_of(digest).unlink(missing_ok=True)


def sweep(unnamed_for: timedelta = timedelta(days=1)) -> int:
    """Remove bytes that no row has named for so long: of uploads that were rolled back, of erasures that were cut short.

    Returns how many files went. They may hold personal data that nobody can find, so nothing else would erase them.
    """
    root = Path(current_app.config["DATA_DIR"]) / "files"
    before = time.time() - unnamed_for.total_seconds()
    old = (each for each in root.glob("*/*/*") if each.is_file() and each.stat().st_mtime < before)
    gone = 0
    while batch := {each.name: each for each in itertools.islice(old, 500)}:
        named = set(db.session.scalars(sa.select(StoredFile.sha256).where(StoredFile.sha256.in_(batch))))
        for name in batch.keys() - named:
            if batch[name].stat().st_mtime < before:  # nobody stored the same bytes in the meantime
                batch[name].unlink()
                gone += 1
    return gone
