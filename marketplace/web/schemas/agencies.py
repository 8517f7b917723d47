"""What comes in about agencies and their admission."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from marshmallow import fields, post_load, validate

from app.kernel.words import N_
from app.web.schemas import REQUIRED, FormText, InputSchema, UploadField, text, version_field
from marketplace.queries.catalogue import item_choices
from marketplace.rules.changes import ChangeKind
from marketplace.rules.onboarding import AGENCY_KIND_LABELS, DOCUMENT_LABELS, AgencyKind, DocumentKind
from marketplace.rules.people import PART_LABELS, PersonPart
from marketplace.rules.qualifications import (
    GRADE_LABELS,
    GRADES,
    PRACTISING_LABELS,
    QUALIFICATION_LABELS,
    PractisingKind,
    QualificationKind,
)
from marketplace.services.agencies import (
    AddDocument,
    AddPerson,
    AddPractitioner,
    AddQualification,
    ChangeBasic,
    ChangeRepresentative,
    ChooseServices,
    Contacts,
    LeaveStaff,
    Measure,
    Particulars,
    PassCheck,
    Representative,
)
from marketplace.states.agency import IN_BUSINESS, AgencyState, ChangeState
from marketplace.web.schemas.catalogue import one_of

GROUPS: Final[dict[str, tuple[AgencyState, ...]]] = {
    "active": tuple(sorted(IN_BUSINESS)),
    "publicity": (AgencyState.PUBLICITY,),
    "barred": (AgencyState.SUSPENDED, AgencyState.BLACKLISTED, AgencyState.REMOVED),
}
"""What the directory shows apart: those in business, those in publicity, those under a measure."""
OTHER_PARTS: Final = tuple(part for part in PersonPart if part != PersonPart.LEGAL_REPRESENTATIVE)
_ACCEPT = ".pdf,.png,.jpg,.jpeg"


class DirectoryQuery(InputSchema):
    """The directory: a city, and where to go on."""

    city = FormText(
        load_default=None, validate=validate.Regexp(r"^\d{6}$", error=N_("Choose a region of this province."))
    )
    after = FormText(load_default=None)
    state = FormText(load_default="active", validate=one_of(tuple(GROUPS)))


class AdmissionQuery(InputSchema):
    """The operator's list of files."""

    state = FormText(load_default=str(AgencyState.SUBMITTED))
    region = FormText(load_default=None, validate=validate.Regexp(r"^\d{6}$"))
    q = FormText(load_default="")
    page = fields.Integer(load_default=1, validate=validate.Range(min=1))


def _mobile() -> FormText:
    return FormText(
        required=True,
        error_messages=REQUIRED,
        validate=validate.Regexp(r"^1\d{10}$", error=N_("A mobile number has eleven digits and begins with 1.")),
        metadata={"label": N_("Mobile number"), "widget": "tel", "autocomplete": "tel"},
    )


class ContactsIn(InputSchema):
    """Whom to ask, and what clients should know: changes without a form check."""

    command: type[Any] | None = Contacts

    contact_name = text(N_("Contact"), longest=60, autocomplete="name")
    contact_mobile = FormText(
        required=True,
        error_messages=REQUIRED,
        validate=validate.Regexp(r"^1\d{10}$", error=N_("A mobile number has eleven digits and begins with 1.")),
        metadata={"label": N_("Mobile number"), "widget": "tel", "autocomplete": "tel"},
    )
    contact_email = fields.Email(
        required=True,
        error_messages={**REQUIRED, "invalid": N_("Not a valid email address.")},
        metadata={"label": N_("E-mail address"), "widget": "email", "autocomplete": "email"},
    )
    introduction = text(
        N_("Introduction"), required=False, longest=2000, widget="textarea", hint=N_("What clients should know of you.")
    )
    version = version_field()


class BasicIn(InputSchema):
    """What the licence says of the agency; after admission it changes only by a checked request."""

    name = text(N_("Name as on the licence"), longest=120, autocomplete="organization")
    kind = FormText(
        required=True,
        error_messages=REQUIRED,
        validate=one_of(AgencyKind),
        metadata={
            "label": N_("Kind of body"),
            "widget": "select",
            "choices": tuple((str(k), v) for k, v in AGENCY_KIND_LABELS.items()),
        },
    )
    region_code = FormText(required=True, error_messages=REQUIRED, metadata={"label": N_("Seat"), "widget": "region"})
    address = text(N_("Registered address"), autocomplete="street-address")


class ParticularsIn(BasicIn, ContactsIn):
    """Who the agency is."""

    command = Particulars

    class Meta(InputSchema.Meta):  # noqa: D106
        fields = (
            "name",
            "uscc",
            "kind",
            "region_code",
            "address",
            "legal_representative",
            "contact_name",
            "contact_mobile",
            "contact_email",
            "introduction",
            "version",
        )

    uscc = text(N_("Unified social credit code"), longest=24, hint=N_("18 characters; the last one is checked."))
    legal_representative = text(N_("Legal representative"), longest=60)


class MeasureIn(InputSchema):
    """A measure against an agency."""

    command: type[Any] | None = Measure

    reason = text(N_("Reason"), longest=2000, widget="textarea", hint=N_("The agency and the public read it."))
    ends_on = fields.Date(
        load_default=None,
        allow_none=True,
        metadata={"label": N_("Last day"), "hint": N_("Leave empty: until it is lifted.")},
    )
    version = version_field()


class RestrictIn(MeasureIn):
    """A measure that closes one service."""

    item_id = fields.UUID(
        required=True,
        error_messages=REQUIRED,
        metadata={"label": N_("Closed service"), "widget": "select", "choices": item_choices},
    )


class LeaveIn(InputSchema):
    """A practitioner's last day."""

    command = LeaveStaff

    leaves_on = fields.Date(required=True, error_messages=REQUIRED, metadata={"label": N_("Last day on the staff")})
    version = version_field()


def _grade() -> FormText:
    return FormText(
        load_default="",
        validate=one_of(("", *GRADES)),
        metadata={
            "label": N_("Grade"),
            "widget": "select",
            "choices": tuple((g, GRADE_LABELS[g]) for g in GRADES),
        },
    )


def _expiry_day() -> fields.Date:
    return fields.Date(
        load_default=None,
        allow_none=True,
        metadata={"label": N_("Valid until"), "hint": N_("The last valid day; leave empty when it is unlimited.")},
    )


class ServicesIn(InputSchema):
    """The services that the agency wants to offer."""

    command = ChooseServices

    items = fields.List(
        fields.UUID(),
        load_default=list,
        metadata={
            "label": N_("Services you want to offer"),
            "hint": N_("The checklist shows what each of them demands. You may change this at any time."),
            "widget": "checkboxes",
            "choices": item_choices,
        },
    )
    version = version_field()

    @post_load
    def _build(self, data: Mapping[str, Any], **_: Any) -> ChooseServices:
        return ChooseServices(tuple(data["items"]), data["version"])


def _id_number(label: str = N_("Identity number")) -> FormText:
    return text(
        label,
        longest=40,
        autocomplete="off",
        hint=N_("Checked at once. Only a keyed fingerprint and a masked form are kept."),
    )


def _scan(hint: str = "") -> UploadField:
    return UploadField(
        load_default=None,
        allow_none=True,
        metadata={"label": N_("Scan"), "hint": hint or N_("PDF, PNG or JPEG, at most 20 MiB."), "accept": _ACCEPT},
    )


class RepresentativeIn(InputSchema):
    """The legal representative."""

    command: type[Any] | None = Representative

    name = text(N_("Name"), longest=60)
    id_number = _id_number()
    mobile = FormText(load_default="", metadata={"label": N_("Mobile number"), "widget": "tel"})
    version = version_field()


class RepresentativeChangeIn(RepresentativeIn):
    """Another legal representative, to be checked."""

    command = ChangeRepresentative

    note = FormText(load_default="", metadata={"label": N_("Remark"), "widget": "textarea"})
    file = _scan(N_("The new licence. PDF, PNG or JPEG, at most 20 MiB."))


class BasicChangeIn(BasicIn):
    """New basic data, to be checked."""

    command = ChangeBasic

    note = FormText(load_default="", metadata={"label": N_("Remark"), "widget": "textarea"})
    file = _scan(N_("The new licence. PDF, PNG or JPEG, at most 20 MiB."))
    version = version_field()


class PersonIn(InputSchema):
    """Somebody else behind the agency."""

    part = FormText(
        required=True,
        error_messages=REQUIRED,
        validate=one_of(OTHER_PARTS),
        metadata={
            "label": N_("What this person is to the agency"),
            "widget": "select",
            "choices": tuple((str(part), PART_LABELS[part]) for part in OTHER_PARTS),
        },
    )
    name = text(N_("Name"), longest=120)
    is_body = fields.Boolean(
        load_default=False,
        metadata={"label": N_("A body, not a person"), "hint": N_("Then its credit code stands below.")},
    )
    id_number = _id_number(N_("Identity number or credit code"))
    mobile = FormText(load_default="", metadata={"label": N_("Mobile number"), "widget": "tel"})
    share_percent = fields.Decimal(
        places=1,
        load_default=None,
        allow_none=True,
        validate=validate.Range(min=Decimal("0.1"), max=100, error=N_("A share lies between 0.1 and 100 per cent.")),
        metadata={"label": N_("Share in per cent"), "hint": N_("Of shareholders only.")},
    )

    @post_load
    def _build(self, data: Mapping[str, Any], **_: Any) -> AddPerson:
        share = data["share_percent"]
        kept = {name: value for name, value in data.items() if name != "share_percent"}
        return AddPerson(**kept, share_permille=None if share is None else int(share * 10))


class PractitionerIn(InputSchema):
    """One practitioner."""

    command = AddPractitioner

    name = text(N_("Name"), longest=60)
    id_number = _id_number()
    is_full_time = fields.Boolean(
        load_default=True,
        metadata={
            "label": N_("Full-time at this agency"),
            "hint": N_("Nobody can be full-time at two agencies; only full-time people count for a qualification."),
        },
    )
    title = FormText(load_default="", metadata={"label": N_("Post")})
    employed_from = fields.Date(required=True, error_messages=REQUIRED, metadata={"label": N_("Employed from")})
    file = _scan(N_("Proof of the social insurance of the last three months."))


class PractisingCertificateIn(InputSchema):
    """One practising certificate of a practitioner."""

    kind = FormText(
        required=True,
        error_messages=REQUIRED,
        validate=one_of(PractisingKind),
        metadata={
            "label": N_("Certificate"),
            "widget": "select",
            "choices": tuple((str(k), v) for k, v in PRACTISING_LABELS.items()),
        },
    )
    grade = _grade()
    number = text(N_("Number of the certificate"), longest=60)
    issuer = FormText(load_default="", metadata={"label": N_("Issued by")})
    issued_on = fields.Date(load_default=None, allow_none=True, metadata={"label": N_("Issued on")})
    expires_on = _expiry_day()
    file = _scan()


class ChangesQuery(InputSchema):
    """The operator's list of requests for change."""

    kind = FormText(load_default=None, validate=one_of(ChangeKind))
    state = FormText(load_default=str(ChangeState.PENDING), validate=one_of(ChangeState))
    page = fields.Integer(load_default=1, validate=validate.Range(min=1))


class ExpiringQuery(InputSchema):
    """Certificates that expire within so many days."""

    days = fields.Integer(load_default=90, validate=validate.Range(min=1, max=400))
    q = FormText(load_default="")
    page = fields.Integer(load_default=1, validate=validate.Range(min=1))


class RemindIn(InputSchema):
    """Certificates whose agencies are reminded by hand."""

    certificates = fields.List(fields.UUID(), required=True, error_messages=REQUIRED)


class DocumentIn(InputSchema):
    """One paper of the file."""

    command = AddDocument

    kind = FormText(
        required=True,
        error_messages=REQUIRED,
        validate=one_of(DocumentKind),
        metadata={
            "label": N_("What this paper is"),
            "widget": "select",
            "choices": tuple((str(k), v) for k, v in DOCUMENT_LABELS.items()),
        },
    )
    file = UploadField(
        required=True,
        error_messages={"required": N_("Choose a file.")},
        metadata={"label": N_("File"), "hint": N_("PDF, PNG or JPEG, at most 20 MiB."), "accept": _ACCEPT},
    )


class QualificationIn(InputSchema):
    """One certificate."""

    command = AddQualification

    kind = FormText(
        required=True,
        error_messages=REQUIRED,
        validate=one_of(QualificationKind),
        metadata={
            "label": N_("Certificate"),
            "widget": "select",
            "choices": tuple((str(k), v) for k, v in QUALIFICATION_LABELS.items()),
        },
    )
    grade = _grade()
    number = text(N_("Number of the certificate"), longest=60)
    issuer = FormText(load_default="", metadata={"label": N_("Issued by")})
    issued_on = fields.Date(load_default=None, allow_none=True, metadata={"label": N_("Issued on")})
    expires_on = _expiry_day()
    file = _scan()


class PassIn(InputSchema):
    """The operator passes the form check."""

    command = PassCheck

    accept_certificates = fields.Boolean(
        load_default=True,
        metadata={
            "label": N_("Every certificate shown in the file is in order"),
            "hint": N_("Clears all unchecked ones."),
        },
    )
    version = version_field()
