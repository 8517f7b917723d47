"""Documents: PDF primitives, the register of issued documents and the public page that checks them.

from app.documents import issue, pdf

def award_letter(check: pdf.Check) -> bytes:
    return pdf.Letter(title=..., issuer=..., number=..., check=check).paragraph(...).render()

issued = issue("award-letter", number, title, subject, thread_id, {N_("Winner"): name}, award_letter)
"""

from app.documents import pdf
from app.documents.register import Issued, find, issue, issued_for, revoke

__all__ = ["Issued", "find", "issue", "issued_for", "pdf", "revoke"]
