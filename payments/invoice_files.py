"""Files of e-invoices besides PDF: OFD (GB/T 33190, a ZIP with OFD.xml) and XML of the digital invoice. Pure."""

import io
import zipfile
from typing import Final
from xml.parsers import expat

OFD: Final = "application/ofd"
XML: Final = "application/xml"


def is_ofd(content: bytes) -> bool:
    """Whether these bytes are an OFD document (the archive itself was checked before)."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return "OFD.xml" in archive.namelist()
    except zipfile.BadZipFile:
        return False


def is_plain_xml(content: bytes) -> bool:
    """Whether these bytes are well-formed XML without a document type: no entities, nothing fetched from elsewhere."""
    if not content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<?xml") or b"<!" in content.replace(
        b"<![CDATA[", b""
    ).replace(b"<!--", b""):
        return False
    try:
        expat.ParserCreate().Parse(content, True)
    except expat.ExpatError:
        return False
    return True


INVOICE_TYPES: Final = {OFD: (".ofd", is_ofd), XML: (".xml", is_plain_xml)}
"""What may be kept for an invoice besides the usual kinds: media type, suffix, and the test of the bytes."""
