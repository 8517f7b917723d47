"""What the account pages and the account API take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import has_request_context
from marshmallow import ValidationError, fields, post_load, validate, validates_schema
from stdnum.cn import uscc as uscc_rules
from stdnum.exceptions import ValidationError as NumberError

from app.identity import policy
from app.identity.models import MailDelivery, OrganisationKind
from app.identity.queries import accounts as account_queries
from app.identity.services.accounts import ChangePassword, ChangeProfile
from app.identity.services.administration import GiveRole
from app.identity.services.api_tokens import IssueToken
from app.identity.services.notices import ChangePreferences
from app.identity.services.organisations import ChangeOrganisation, CreateOrganisation, JoinOrganisation
from app.identity.topics import topics
from app.kernel.access import ROLE_LABELS, Role
from app.kernel.words import N_
from app.web.language import LANGUAGES
from app.web.regions import is_region
from app.web.schemas import REQUIRED, FormText, InputSchema, text
from app.web.session import current_actor

LONGEST_PASSWORD = 256
PASSWORD_HINT = N_("At least 12 characters (15 for staff). A few words that only you would put together are best.")


class Password(fields.String):
    """A password exactly as typed: never stripped, never shown again."""

    def __init__(self, label: str, *, autocomplete: str, hint: str = "") -> None:
        super().__init__(
            required=True,
            validate=[
                validate.Length(min=1, error=N_("Please fill this in.")),
                validate.Length(max=LONGEST_PASSWORD, error=N_("This is too long.")),
            ],
            error_messages=REQUIRED,
            metadata={"label": label, "widget": "password", "autocomplete": autocomplete, "hint": hint},
        )


class MailAddress(fields.Email):
    """A mail address without the blanks that telephones like to add."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        given = value.strip() if isinstance(value, str) else value
        return str(super()._deserialize(given, attr, data, **kwargs))


def mail_address(label: str = N_("Mail address"), *, autocomplete: str = "username") -> MailAddress:
    """A mail address, up to the 254 characters of RFC 5321."""
    return MailAddress(
        required=True,
        validate=validate.Length(max=254, error=N_("This is too long.")),
        error_messages={**REQUIRED, "invalid": N_("Not a valid email address.")},
        metadata={"label": label, "widget": "email", "autocomplete": autocomplete},
    )


class Uscc(FormText):
    """A unified social credit code: eighteen characters with a check character (GB 32100)."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        given = super()._deserialize(value, attr, data, **kwargs)
        try:
            return str(uscc_rules.validate(given.upper()))
        except NumberError as bad:
            raise ValidationError(
                N_("This is not a unified social credit code: check the eighteen characters.")
            ) from bad


def uscc() -> Uscc:
    """The field of a unified social credit code."""
    return Uscc(
        required=True,
        error_messages=REQUIRED,
        metadata={
            "label": N_("Unified social credit code"),
            "widget": "text",
            "hint": N_("Eighteen characters, as on the licence."),
        },
    )


@dataclass(frozen=True)
class SignIn:
    """The first step of signing in."""

    email: str
    password: str
    next: str | None


class SignInIn(InputSchema):
    command = SignIn
    email = mail_address()
    password = Password(N_("Password"), autocomplete="current-password")
    next = text("", required=False, longest=500, widget="hidden")


@dataclass(frozen=True)
class Code:
    """A one-time code or a recovery code."""

    code: str


class CodeIn(InputSchema):
    command = Code
    code = text(
        N_("One-time code"),
        longest=20,
        hint=N_("Six digits from the app on your telephone, or one of your recovery codes."),
        autocomplete="one-time-code",
    )


@dataclass(frozen=True)
class Registration:
    """A new account."""

    name: str
    email: str
    password: str


class RegisterIn(InputSchema):
    command = Registration
    name = text(N_("Your name"), longest=80, autocomplete="name")
    email = mail_address()
    password = Password(N_("Password"), autocomplete="new-password", hint=PASSWORD_HINT)


@dataclass(frozen=True)
class Address:
    """A mail address alone."""

    email: str


class ForgotIn(InputSchema):
    command = Address
    email = mail_address()


@dataclass(frozen=True)
class NewPassword:
    """A new password, typed once: the page can show it."""

    new: str


class ResetIn(InputSchema):
    command = NewPassword
    new = Password(N_("New password"), autocomplete="new-password", hint=PASSWORD_HINT)


class PasswordIn(InputSchema):
    command = ChangePassword
    present = Password(N_("Present password"), autocomplete="current-password")
    new = Password(N_("New password"), autocomplete="new-password", hint=PASSWORD_HINT)


class ProfileIn(InputSchema):
    command = ChangeProfile
    name = text(N_("Your name"), longest=80, autocomplete="name")
    mobile = FormText(
        load_default=None,
        allow_none=True,
        validate=validate.Regexp(r"^1[3-9]\d{9}$", error=N_("A mobile number has eleven digits and begins with 1.")),
        metadata={"label": N_("Mobile number"), "widget": "tel", "autocomplete": "tel-national"},
    )
    locale = fields.String(
        load_default="zh_Hans_CN",
        validate=validate.OneOf(tuple(LANGUAGES), error=N_("Must be one of the choices.")),
        metadata={"label": N_("Language of mails"), "widget": "select", "choices": tuple(LANGUAGES.items())},
    )


@dataclass(frozen=True)
class PasswordAndCode:
    """Both secrets, to turn one-time codes off."""

    present: str
    code: str


class CodesOffIn(InputSchema):
    command = PasswordAndCode
    present = Password(N_("Present password"), autocomplete="current-password")
    code = text(N_("One-time code"), longest=20, autocomplete="one-time-code")


@dataclass(frozen=True)
class PresentPassword:
    """The present password, before a sensitive step."""

    present: str


class PresentPasswordIn(InputSchema):
    command = PresentPassword
    present = Password(N_("Present password"), autocomplete="current-password")


def own_parts() -> tuple[tuple[str, str], ...]:
    """The parts that the person may act as, for choices."""
    actor = current_actor() if has_request_context() else None
    if actor is None or actor.user_id is None:
        return ()
    return tuple(
        (str(one.id), f"{one.organisation_name} · {ROLE_LABELS[one.role]}")
        for one in account_queries.memberships_of_user(actor.user_id, only_active=True)
    )


class TokenIn(InputSchema):
    command = IssueToken
    name = text(N_("What is it for?"), longest=80, hint=N_("For example: the accounting program."))
    days = fields.Integer(
        load_default=90,
        strict=False,
        validate=validate.OneOf((7, 30, 90, 365), error=N_("Must be one of the choices.")),
        metadata={
            "label": N_("Good for"),
            "widget": "select",
            "choices": (("7", N_("7 days")), ("30", N_("30 days")), ("90", N_("90 days")), ("365", N_("One year"))),
        },
    )
    membership_id = fields.UUID(
        load_default=None,
        allow_none=True,
        metadata={
            "label": N_("Acts as"),
            "widget": "select",
            "choices": own_parts,
            "hint": N_("Without a choice the token acts as you, a private person."),
        },
    )


@dataclass(frozen=True)
class TokenBySecrets:
    """Address, password and, where turned on, a one-time code: how a program gets its first token."""

    email: str
    password: str
    code: str | None
    name: str
    days: int
    membership_id: UUID | None


class TokenBySecretsIn(InputSchema):
    command = TokenBySecrets
    email = mail_address()
    password = Password(N_("Password"), autocomplete="current-password")
    code = text(N_("One-time code"), longest=20, required=False)
    name = text(N_("What is it for?"), longest=80)
    days = fields.Integer(
        load_default=30, validate=validate.OneOf((7, 30, 90, 365), error=N_("Must be one of the choices."))
    )
    membership_id = fields.UUID(load_default=None, allow_none=True)


def _kinds(kinds: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    return tuple((kind, policy.KIND_LABELS[kind]) for kind in kinds)


class _OrganisationFields(InputSchema):
    name = text(N_("Name of the organisation"), longest=200, autocomplete="organization")
    uscc = uscc()
    region_code = FormText(load_default=None, allow_none=True, metadata={"label": N_("Region"), "widget": "region"})
    address = text(N_("Address"), required=False, longest=300)
    phone = text(N_("Telephone"), required=False, longest=40, widget="tel")
    name_en = text(N_("English name"), required=False)

    @validates_schema
    def _known_region(self, data: Any, **_: Any) -> None:
        code = data.get("region_code")
        if code and not is_region(code):
            raise ValidationError({"region_code": [N_("There is no region with this code.")]})


class OrganisationIn(_OrganisationFields):
    command = CreateOrganisation
    kind = fields.String(
        required=True,
        error_messages=REQUIRED,
        validate=validate.OneOf([str(kind) for kind in policy.OPEN_KINDS], error=N_("Must be one of the choices.")),
        metadata={
            "label": N_("What does it do here?"),
            "widget": "radio",
            "choices": (
                (str(OrganisationKind.OWNER), N_("It buys intermediary services for its projects (project owner)")),
                (str(OrganisationKind.AGENCY), N_("It offers intermediary services (agency)")),
            ),
        },
    )

    class Meta(_OrganisationFields.Meta):
        """In the order of the form."""

        fields = ("kind", "name", "uscc", "region_code", "address", "phone", "name_en")


class AnyOrganisationIn(_OrganisationFields):
    """For administrators: every kind."""

    command = CreateOrganisation
    kind = fields.String(
        required=True,
        error_messages=REQUIRED,
        validate=validate.OneOf([str(kind) for kind in OrganisationKind], error=N_("Must be one of the choices.")),
        metadata={
            "label": N_("Kind of organisation"),
            "widget": "select",
            "choices": _kinds(tuple(OrganisationKind)),
        },
    )

    class Meta(_OrganisationFields.Meta):
        """In the order of the form."""

        fields = ("kind", "name", "uscc", "region_code", "address", "phone", "name_en")


class ContactIn(InputSchema):
    command = ChangeOrganisation
    address = text(N_("Address"), required=False, longest=300)
    phone = text(N_("Telephone"), required=False, longest=40, widget="tel")
    name_en = text(N_("English name"), required=False)


class RoleField(fields.String):
    """One of the roles."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        given = super()._deserialize(value, attr, data, **kwargs)
        try:
            return Role(given or "")
        except ValueError as bad:
            raise ValidationError(N_("Must be one of the choices.")) from bad


def role(label: str, roles: tuple[Role, ...]) -> RoleField:
    """The field of a role."""
    return RoleField(
        required=True,
        error_messages=REQUIRED,
        metadata={"label": label, "widget": "select", "choices": tuple((str(one), ROLE_LABELS[one]) for one in roles)},
    )


class JoinIn(InputSchema):
    command = JoinOrganisation
    kind = fields.String(
        required=True,
        error_messages=REQUIRED,
        validate=validate.OneOf([str(kind) for kind in OrganisationKind], error=N_("Must be one of the choices.")),
        metadata={"label": N_("Kind of organisation"), "widget": "select", "choices": _kinds(tuple(OrganisationKind))},
    )
    uscc = uscc()
    role = role(N_("Your role there"), tuple(one for one in Role if one is not Role.APPLICANT))


class GiveRoleIn(InputSchema):
    command = GiveRole
    email = mail_address(N_("Mail address of the account"), autocomplete="off")
    role = role(N_("Role"), tuple(one for one in Role if one is not Role.APPLICANT))
    administers = fields.Boolean(
        load_default=False, metadata={"label": N_("May admit and dismiss members"), "widget": "checkbox"}
    )


@dataclass(frozen=True)
class UserQuery:
    """Filters of the list of accounts."""

    q: str | None
    role: str | None
    state: str | None
    page: int


class UserQueryIn(InputSchema):
    command = UserQuery
    q = text(N_("Name or address"), required=False, longest=100)
    role = fields.String(
        load_default=None,
        validate=validate.OneOf([str(one) for one in Role], error=N_("Must be one of the choices.")),
        metadata={"label": N_("Role"), "choices": tuple((str(one), ROLE_LABELS[one]) for one in Role)},
    )
    state = fields.String(
        load_default=None,
        validate=validate.OneOf(("active", "suspended"), error=N_("Must be one of the choices.")),
        metadata={"label": N_("State"), "choices": (("active", N_("Active")), ("suspended", N_("Account suspended")))},
    )
    page = fields.Integer(load_default=1, validate=validate.Range(1, 100_000, error=N_("This number is too large.")))


@dataclass(frozen=True)
class OrganisationQuery:
    """Filters of the list of organisations."""

    q: str | None
    kind: str | None
    page: int


class OrganisationQueryIn(InputSchema):
    command = OrganisationQuery
    q = text(N_("Name or code"), required=False, longest=100)
    kind = fields.String(
        load_default=None,
        validate=validate.OneOf([str(kind) for kind in OrganisationKind], error=N_("Must be one of the choices.")),
        metadata={"label": N_("Kind of organisation"), "choices": _kinds(tuple(OrganisationKind))},
    )
    page = fields.Integer(load_default=1, validate=validate.Range(1, 100_000, error=N_("This number is too large.")))


@dataclass(frozen=True)
class NoticeQuery:
    """Filters of the own notices."""

    topic: str | None
    unread: bool
    page: int


def _topics() -> list[tuple[str, str]]:
    return [("", N_("All topics")), *((topic.key, topic.label) for topic in topics())]


class NoticeQueryIn(InputSchema):
    command = NoticeQuery
    topic = text(N_("Topic"), required=False, longest=30, widget="select", choices=_topics)
    unread = fields.Boolean(load_default=False, metadata={"label": N_("Only unread"), "widget": "checkbox"})
    page = fields.Integer(load_default=1, validate=validate.Range(1, 100_000, error=N_("This number is too large.")))


MAIL_DELIVERY_LABELS = {
    MailDelivery.AT_ONCE: N_("At once"),
    MailDelivery.DAILY: N_("Once a day, in one mail"),
    MailDelivery.NEVER: N_("Never"),
}
_TOPIC = "topic_"


class PreferencesIn(InputSchema):
    """How notices are mailed. `preferences_schema` adds one field for each topic of this installation."""

    mail_delivery = fields.String(
        load_default=MailDelivery.AT_ONCE,
        validate=validate.OneOf(tuple(MailDelivery), error=N_("Must be one of the choices.")),
        metadata={
            "label": N_("Mail me notices"),
            "widget": "radio",
            "choices": tuple(MAIL_DELIVERY_LABELS.items()),
            "hint": N_("In the platform you always find them at once."),
        },
    )

    @post_load
    def _preferences(self, data: dict[str, str], **_: Any) -> ChangePreferences:
        chosen = {name.removeprefix(_TOPIC): value for name, value in data.items() if name.startswith(_TOPIC) and value}
        return ChangePreferences(mail_delivery=data["mail_delivery"], by_topic=chosen)


def preferences_schema() -> type[PreferencesIn]:
    """The schema with the topics that the domains of this installation declare."""
    by_topic = {_TOPIC + topic.key: _topic_field(topic.label) for topic in topics()}
    return type("PreferencesWithTopicsIn", (PreferencesIn,), by_topic)


def _topic_field(label: str) -> fields.String:
    return fields.String(
        load_default="",
        validate=validate.OneOf(("", *MailDelivery), error=N_("Must be one of the choices.")),
        metadata={
            "label": label,
            "widget": "select",
            "choices": (("", N_("As chosen above")), *MAIL_DELIVERY_LABELS.items()),
        },
    )


def preferences_values(mail_delivery: str, by_topic: Mapping[str, str]) -> dict[str, str]:
    """What the form shows of stored preferences."""
    return {"mail_delivery": mail_delivery, **{_TOPIC + topic: delivery for topic, delivery in by_topic.items()}}


@dataclass(frozen=True)
class MailQuery:
    """Filters of the mail log."""

    address: str | None
    state: str | None
    page: int


class MailQueryIn(InputSchema):
    command = MailQuery
    address = text(N_("Mail address"), required=False, longest=254)
    state = text(
        N_("State"),
        required=False,
        longest=10,
        widget="select",
        choices=(
            ("", N_("All")),
            ("sent", N_("Taken by the mail server")),
            ("waiting", N_("Waiting")),
            ("failing", N_("Tried in vain")),
        ),
    )
    page = fields.Integer(load_default=1, validate=validate.Range(1, 100_000, error=N_("This number is too large.")))
