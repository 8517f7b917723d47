import io
from uuid import uuid4

import pytest
import sqlalchemy as sa
from pypdf import PdfReader

from app.documents import Issued, find, issue, issued_for, pdf, revoke
from app.documents.register import IssuedDocument, normalised
from app.kernel import audit, files
from app.kernel.access import SYSTEM
from app.kernel.db import db
from app.kernel.errors import Conflict, NotFound, Refused


def letter(check: pdf.Check) -> bytes:
    return (
        pdf.Letter(title="中选通知书", issuer="临江市网上中介服务超市", number="ZX-1", check=check)
        .paragraph("衡岳工程咨询有限公司")
        .render()
    )


def issued(number: str = "ZX-1") -> Issued:
    return issue(
        "award-letter",
        number,
        "中选通知书",
        "procurement:1",
        uuid4(),
        {"Winner": "衡岳", "Amount": "18,000.00"},
        letter,
    )


def text_of(content: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)


def test_a_letter_carries_its_text_code_and_address(app) -> None:
    paper = issued()
    text = text_of(files.content(paper.file_id))
    assert "衡岳工程咨询有限公司" in text
    assert paper.printed_code in text
    assert f"/check/{paper.code}" in text


def test_issuing_twice_gives_the_same_paper(app) -> None:
    first, second = issued(), issued()
    assert first == second
    assert db.session.scalar(sa.select(sa.func.count()).select_from(IssuedDocument)) == 1
    assert issued("ZX-2").code != first.code
    assert [paper.number for paper in issued_for("procurement:1")] == ["ZX-1", "ZX-2"]


def test_a_code_is_found_however_it_is_typed(app) -> None:
    paper = issued()
    assert find(paper.printed_code.lower()) == paper
    assert find(f" {paper.code} ") == paper
    assert normalised("o1iL-0000") == "01110000"
    with pytest.raises(NotFound):
        find("0" * 16)


def test_a_void_paper_says_so(app) -> None:
    paper = issued()
    with pytest.raises(Refused):
        revoke(SYSTEM, paper.id, " ")
    assert find(paper.code).revoked_at is None
    revoke(SYSTEM, paper.id, "中选被取消")
    assert find(paper.code).revoked_reason == "中选被取消"
    with pytest.raises(Conflict):
        revoke(SYSTEM, paper.id, "again")


def test_the_public_page_tells_genuine_void_and_unknown_apart(client) -> None:
    paper = issued()
    audit.sequence_all()
    page = client.get(f"/check/{paper.code}")
    assert page.status_code == 200
    assert "18,000.00" in page.text
    assert paper.sha256 in page.text
    assert client.get("/check/0000000000000000").status_code == 404
    assert client.get(f"/check?code={paper.printed_code}").headers["Location"].endswith(f"/check/{paper.code}")
    answer = client.get(f"/api/check/{paper.code}").get_json()
    assert answer["genuine"] is True
    assert answer["facts"][1]["value"] == "18,000.00"
    revoke(SYSTEM, paper.id, "中选被取消")
    assert client.get(f"/api/check/{paper.code}").get_json()["genuine"] is False
    assert "中选被取消" in client.get(f"/check/{paper.code}").text


def test_anyone_can_verify_a_receipt_from_the_api_alone(client) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from app.kernel.merkle import verify_consistency, verify_inclusion

    paper = issued()
    audit.sequence_all()
    old = client.get("/api/log/head").get_json()
    issued("ZX-2")
    audit.sequence_all()
    new = client.get("/api/log/head").get_json()
    receipt = client.get(f"/api/check/{paper.code}").get_json()["receipt"]
    message = f"GMSTH/1\n{receipt['size']}\n{receipt['unixtime']}\n".encode() + bytes.fromhex(receipt["root"])
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(new["keys"][receipt["key_id"]]))
    key.verify(bytes.fromhex(receipt["signature"]), message)
    path = [bytes.fromhex(node) for node in receipt["path"]]
    assert verify_inclusion(
        bytes.fromhex(receipt["leaf"]), receipt["index"], receipt["size"], path, bytes.fromhex(receipt["root"])
    )
    proof = client.get(f"/api/log/consistency/{old['size']}/{new['size']}").get_json()["proof"]
    assert verify_consistency(
        old["size"],
        bytes.fromhex(old["root"]),
        new["size"],
        bytes.fromhex(new["root"]),
        [bytes.fromhex(node) for node in proof],
    )
    assert client.get("/api/log/consistency/9/5").status_code == 404
    assert client.get("/api/log/consistency/1/500").status_code == 404
    assert new["signature"] in client.get("/log").text


def test_unprintable_characters_become_a_visible_gap() -> None:
    assert pdf.printable("喆堃\t𠮷") == "喆堃 〓"
    assert "〓" in text_of(pdf.Letter(title="𠮷", issuer="x").render())


def test_text_is_never_markup() -> None:
    assert "<b>&amp;" in text_of(pdf.Letter(title="t", issuer="x").paragraph("<b>&amp;</b><font>").render())


def test_long_tables_break_with_their_header_and_numbered_pages() -> None:
    rows = [[str(n), "临江市某工程咨询有限公司"] for n in range(120)]
    reader = PdfReader(io.BytesIO(pdf.Letter(title="名单", issuer="x").table(["名次", "机构"], rows).render()))
    assert len(reader.pages) == 5
    assert all("名次" in page.extract_text() for page in reader.pages)
    assert "第 4 页 共 5 页" in reader.pages[3].extract_text()


def test_the_same_content_gives_the_same_bytes() -> None:
    assert letter(pdf.Check("A", "http://x/A")) == letter(pdf.Check("A", "http://x/A"))


def test_a_label_has_its_size_and_text() -> None:
    label = (
        pdf.Label(100, 150, title="EMS")
        .text(5, 10, "政务专递", bold=True)
        .code128(10, 14, "1234567890123", width=80, height=15)
    )
    assert label.lines(5, 45, 40, "江苏省临江市滨江新区人民路八十八号" * 5, size=10, most=2) == pytest.approx(
        45 + 2 * 10 * 1.35 / 2.8346, abs=0.01
    )
    page = PdfReader(io.BytesIO(label.qr(70, 110, "https://x", size=25).render())).pages[0]
    assert [round(float(side) / 72 * 25.4) for side in (page.mediabox.width, page.mediabox.height)] == [100, 150]
    assert "政务专递" in page.extract_text()
    assert "…" in page.extract_text()
