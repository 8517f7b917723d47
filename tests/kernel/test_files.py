import io
import stat
import zipfile
import zlib

import pytest
import sqlalchemy as sa
from PIL import Image

from app.documents import pdf
from app.kernel import files
from app.kernel.access import SYSTEM
from app.kernel.db import db
from app.kernel.errors import NotFound, Refused
from app.kernel.files import TooLarge, UnsupportedFile, Upload, check, clean_name, keep


def picture(form: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(out, form)
    return out.getvalue()


def archive(*entries: tuple[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as packed:
        for name, content in entries:
            packed.writestr(name, content)
    return out.getvalue()


PAPER = pdf.Letter(title="报告", issuer="机构").paragraph("正文").render()
WORD = archive(("[Content_Types].xml", b"<Types/>"), ("word/document.xml", b"<w/>"))
EXCEL = archive(("[Content_Types].xml", b"<Types/>"), ("xl/workbook.xml", b"<x/>"))


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("报告.pdf", PAPER, files.PDF),
        ("a.PNG", picture("PNG"), files.PNG),
        ("a.jpeg", picture("JPEG"), files.JPEG),
        ("a.docx", WORD, files.DOCX),
        ("a.xlsx", EXCEL, files.XLSX),
        ("a.zip", archive(("a.txt", b"text"), ("b/c.pdf", PAPER)), files.ZIP),
        ("a.csv", "项目,金额\n测绘,100\n".encode("gb18030"), files.CSV),
        ("a.txt", "说明\r\n".encode(), files.TEXT),
    ],
)
def test_accepts_what_it_is_for(name, content, kind) -> None:
    assert check(Upload(name, content)) == kind


BOMB = archive(("a.txt", b"\0" * 5_000_000))
LINK = zipfile.ZipInfo("link")
LINK.external_attr = (stat.S_IFLNK | 0o777) << 16


def with_link() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr(LINK, "/etc/passwd")
    return out.getvalue()


def encrypted() -> bytes:
    content = bytearray(archive(("a.txt", b"text"), compression=zipfile.ZIP_STORED))
    central = content.index(b"PK\x01\x02")
    content[6] |= 1
    content[central + 8] |= 1
    return bytes(content)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.pdf", b"%PDF-1.7 nothing more"),
        ("a.pdf", PAPER[: len(PAPER) // 2]),
        ("a.pdf", PAPER.replace(b"/Type /Catalog", b"/Type /Catalog /OpenAction << /S /JavaScript /JS (x) >>")),
        ("a.png", PAPER),
        ("a.pdf", picture("PNG")),
        ("a", PAPER),
        ("a.pdf.exe", PAPER),
        ("a.png", picture("PNG")[:60]),
        ("a.jpg", b"\xff\xd8\xff\xe0" + b"0" * 50),
        ("a.gif", b"GIF89a" + b"0" * 40),
        ("a.txt", b"MZ\x90\x00" + b"\0" * 60),
        ("a.txt", b"a\x00b"),
        ("a.txt", b"<html><script>alert(1)</script>"),
        ("a.csv", b"\xff\xfe\x00"),
        ("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        ("a.zip", BOMB),
        ("a.zip", archive(("../up.txt", b"x"))),
        ("a.zip", archive(("/root.txt", b"x"))),
        ("a.zip", archive(("C:/x.txt", b"x"))),
        ("a.zip", archive(("run.EXE", b"x"))),
        ("a.zip", archive(("more.zip", b"x"))),
        ("a.zip", with_link()),
        ("a.zip", encrypted()),
        ("a.zip", archive(*((f"{n}.txt", b"") for n in range(files.MAX_ENTRIES + 1)))),
        ("a.zip", archive(("a.txt", b"text"))[:-10]),
        ("a.docx", archive(("[Content_Types].xml", b""), ("word/document.xml", b""), ("word/vbaProject.bin", b""))),
        ("a.docx", EXCEL),
        ("a.zip", WORD),
        ("a.docx", archive(("[Content_Types].xml", b""), ("ppt/presentation.xml", b""))),
    ],
)
def test_refuses_everything_else(name, content) -> None:
    with pytest.raises(UnsupportedFile):
        check(Upload(name, content))


def test_a_damaged_entry_is_found() -> None:
    content = bytearray(archive(("a.txt", b"x" * 200), compression=zipfile.ZIP_STORED))
    content[60] ^= 0xFF
    with pytest.raises(UnsupportedFile):
        check(Upload("a.zip", bytes(content)))


def test_limits_of_size() -> None:
    with pytest.raises(Refused) as refusal:
        check(Upload("a.txt", b""))
    assert refusal.value.code == "file-empty"
    assert check(Upload("a.txt", b"a" * files.MAX_BYTES)) == files.TEXT
    with pytest.raises(TooLarge):
        check(Upload("a.txt", b"a" * (files.MAX_BYTES + 1)))


def with_stream(dictionary: bytes, body: bytes) -> bytes:
    """The paper with one more stream in it."""
    head, rest = PAPER.split(b"\n", 1)
    return (
        head
        + b"\n99 0 obj\n<< %s /Length %d >>\nstream\n%s\nendstream\nendobj\n" % (dictionary, len(body), body)
        + rest
    )


def test_compressed_bytes_that_spell_a_name_by_chance_are_no_script(app) -> None:
    picture = with_stream(b"/Subtype /Image", b"\x00\x91/JS(\x17/Launch \x80")
    assert keep(Upload("a.pdf", picture), SYSTEM).media_type == files.PDF


def test_a_script_hidden_in_an_object_stream_is_found(app) -> None:
    hidden = with_stream(b"/Type /ObjStm /Filter /FlateDecode", zlib.compress(b"<< /S /JavaScript /JS (x) >>"))
    with pytest.raises(files.UnsupportedFile):
        keep(Upload("a.pdf", hidden), SYSTEM)


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("C:\\tmp\\成果.pdf", "成果.pdf"),
        ("../../etc/报告.PDF", "报告.pdf"),
        ("a\u202efdp.exe.pdf", "afdp.exe.pdf"),
        ("a\r\nSet-Cookie: x.pdf", "aSet-Cookie_ x.pdf"),
        ("", "file.pdf"),
        (".pdf", "pdf.pdf"),
        ("x" * 300 + ".pdf", "x" * 120 + ".pdf"),
    ],
)
def test_cleans_names(name, cleaned) -> None:
    assert clean_name(name, files.PDF) == cleaned


def test_keeps_bytes_once_and_gives_them_back_only_as_a_download(app) -> None:
    first, second = keep(Upload("成果.pdf", PAPER), SYSTEM), keep(Upload("again.pdf", PAPER), SYSTEM)
    assert first.id != second.id
    assert first.sha256 == second.sha256
    assert files.content(first.id) == PAPER
    with app.test_request_context():
        response = files.send(first.id)
        response.direct_passthrough = False
        assert response.get_data() == PAPER
    assert response.headers["Content-Disposition"].startswith("attachment;")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response.headers["Content-Security-Policy"]
    assert response.headers["Cache-Control"] == "private, no-store"


def test_a_refused_upload_leaves_nothing(app, settings) -> None:
    with pytest.raises(UnsupportedFile):
        keep(Upload("a.pdf", b"no pdf"), SYSTEM)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(files.StoredFile)) == 0
    assert not (settings.data_dir / "files").exists()


def test_bytes_that_changed_on_disk_are_not_served(app) -> None:
    row = keep(Upload("成果.pdf", PAPER), SYSTEM)
    path = files.path_of(row.sha256)
    path.chmod(0o640)
    path.write_bytes(PAPER + b" ")
    with pytest.raises(RuntimeError, match="hash"):
        files.content(row.id)
    path.unlink()
    with pytest.raises(NotFound):
        files.content(row.id)
