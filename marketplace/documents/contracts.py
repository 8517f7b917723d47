"""The signed contract as a PDF with both signatures and the check mark."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.documents.pdf import Check, Letter
from app.kernel.calendar import BEIJING

SIDE_NAMES = {"owner": "委托方（项目业主）", "agency": "受托方（中介服务机构）"}


@dataclass(frozen=True)
class PrintedSignature:
    """One signature as printed."""

    side: str
    organisation_name: str
    name: str
    signed_at: datetime
    document_sha256: str


def contract_pdf(text: str, number: str, signatures: Sequence[PrintedSignature], check: Check) -> bytes:
    """The text clause by clause as it was signed, then who signed it, when, and the digest of the signed text."""
    lines = [line for line in text.splitlines() if line.strip()]
    letter = Letter(title=lines[0], issuer="中介服务超市", number=number, check=check)
    for line in lines[1:]:
        if line[0] in "一二三四五六七八九十" and "、" in line[:3]:
            letter.heading(line)
        else:
            letter.paragraph(line)
    letter.signatures(
        [
            (
                f"{SIDE_NAMES[signature.side]}\n{signature.organisation_name}",
                (
                    f"签署人：{signature.name}",
                    f"签署时间：{signature.signed_at.astimezone(BEIJING):%Y-%m-%d %H:%M:%S}（北京时间）",
                    f"文本摘要 SHA-256:{signature.document_sha256}",
                ),
            )
            for signature in signatures
        ]
    )
    letter.note("本文件由平台依据双方电子签署的文本生成；所签文本的SHA-256摘要见上，可扫码核验。")
    return letter.render()
