"""The proof of delivery (投递凭证), as the issued paper."""

from typing import Final
from uuid import UUID

from app.documents.pdf import Check, Letter
from app.documents.register import issue, issued_for, redact
from app.kernel import files
from app.kernel.words import N_
from delivery.documents.times import beijing_time
from delivery.queries import ProofPaper

SIGNERS: Final = {
    "self": "收件人本人", "agent": "收件人委托的代理人（出示取件码）", "family": "家属", "reception": "前台、门卫或快递柜",
    "unattended": "无人当面签收",
}  # fmt: skip
ID_TYPES: Final = {
    "resident_card": "居民身份证", "household_book": "户口簿", "military_or_police": "军官证或警官证",
    "travel_permit": "港澳台居民通行证", "passport": "护照", "driving_licence": "驾驶证",
}  # fmt: skip
CODE_CHECKS: Final = {"right": "相符", "wrong": "不符", "none": "未出示"}
PROOF_STANDINGS: Final = {
    "counted": "有效，据此办结投递", "evidence": "有效，作为承运企业投递信息的佐证", "doubtful": "存疑，待工作人员核实",
    "conflict": "与另一份投递记录冲突，待工作人员核实", "late": "邮件办结后收到，仅存档",
}  # fmt: skip
PROOF_DOUBTS: Final = {
    "signer_not_allowed": "签收人未经收件人授权", "unattended": "无人当面签收", "not_identified": "未出示取件码或身份证件",
    "code_wrong": "取件码不符", "code_locked": "取件码已锁定", "no_signature": "无签名", "time": "手持机时间异常",
}  # fmt: skip


ERASED: Final = "个人信息保存期限届满，已依法删除"


def proof_of_delivery(
    proof: ProofPaper, signature: bytes | None, check: Check | None = None, *, redacted: bool = False
) -> bytes:
    """The proof (妥投回执): who took what from whom and when, the hashes of photo and signature, and the check mark.

    The `redacted` form says that names, signature and photo are erased; everything else stays as it was.
    """
    page = Letter(
        title="政务专递投递凭证", issuer=proof.hall_name, number=proof.number, check=check, subtitle=ERASED if redacted else ""
    )  # fmt: skip
    page.facts(
        [("凭证编号", proof.number), ("寄递单号", proof.parcel_number), ("运单号", proof.waybill_no), ("内件", proof.contents),
         ("收件人", "已删除" if redacted else proof.receiver), ("收件地", proof.place), ("签收人类别", SIGNERS.get(proof.signer, proof.signer)),
         ("签收人", "已删除" if redacted else proof.signer_name), ("核验证件", ID_TYPES.get(proof.document, "未核验证件")),
         ("取件码", CODE_CHECKS[proof.code_check]), ("投递员", proof.courier_name), ("投递时间", beijing_time(proof.occurred_at)),
         ("记录上传时间", beijing_time(proof.received_at)), ("手持机时钟", "有偏差，已按服务器校正" if proof.is_skewed else "正常"),
         ("记录效力", PROOF_STANDINGS[proof.standing]), ("存疑事项", "；".join(PROOF_DOUBTS[each] for each in proof.doubts) or "无")],
        columns=2,
    )  # fmt: skip
    page.barcode(proof.number)
    if signature is not None:
        page.picture(signature, "签收人签名")
    page.heading("电子证据指纹（SHA-256）")
    page.facts([("签名图片", proof.signature_sha256 or "无"), ("现场照片", proof.photo_sha256 or "无")])
    page.note(
        "签名与照片原件及原凭证已按个人信息保护法删除，指纹保留，可用于核对当事人自存的原件。"
        if redacted
        else "签名与照片原件保存于本系统，照片仅收件人本人、本厅邮政人员可查阅；以上指纹可用于核对原件未被改动。"
    )
    return page.render()


def issue_proof(proof: ProofPaper) -> None:
    """Issue the proof with its check code; repeatable. Its public facts name nobody."""
    facts = {
        N_("Hall"): proof.hall_name,
        N_("Parcel"): proof.parcel_number,
        N_("Waybill"): proof.waybill_no,
        N_("Delivered"): beijing_time(proof.occurred_at),
        N_("SHA-256 of the signature"): proof.signature_sha256 or "—",
        N_("SHA-256 of the photo"): proof.photo_sha256 or "—",
    }
    signature = files.content(proof.signature_file_id) if proof.signature_file_id else None
    issue(
        "delivery-proof", proof.number, "政务专递投递凭证", _subject(proof.record_id), proof.thread_id, facts,
        lambda check: proof_of_delivery(proof, signature, check),
    )  # fmt: skip


def issued_proof(record_id: UUID) -> UUID | None:
    """The stored file of a proof, or None until it is made."""
    papers = issued_for(_subject(record_id))
    return papers[-1].file_id if papers else None


def redact_proof(proof: ProofPaper, reason: str) -> None:
    """Erase the issued proof and keep its form without persons; bears a repeat. Call inside a transaction."""
    redact(_subject(proof.record_id), lambda check: proof_of_delivery(proof, None, check, redacted=True), reason)


def _subject(record_id: UUID) -> str:
    return f"door-record:{record_id}"
