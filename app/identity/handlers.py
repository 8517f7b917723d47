"""Reactions after commit: mails leave, reset links are made."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import format_datetime, formataddr
from urllib.parse import unquote, urlsplit

from flask import current_app
from flask_babel import force_locale, gettext
from sqlalchemy import select

from app.identity import security
from app.identity.events import MailQueued, PasswordResetAsked
from app.identity.models import MailMessage, Notice, User
from app.identity.notices import queue_mail
from app.identity.wording import worded
from app.kernel import clock
from app.kernel.db import db, transaction, use_case
from app.kernel.outbox import Handlers
from app.kernel.words import N_
from app.settings import Settings

SMTP_SECONDS = 20
LONGEST_ERROR = 500
PREFERENCES = "/account/preferences"


def send_mail(event: MailQueued) -> None:
    """Hand one mail to the mail server; without one (development) it stays on the page /dev/mail.

    A repeat of a sent mail does nothing. A crash between the server's yes and our note sends it twice with the same
    Message-ID, which mail programs show once.
    """
    settings: Settings = current_app.extensions["chaoshi_settings"]
    message = db.session.get(MailMessage, event.mail_id)
    if message is None or message.sent_at is not None or not settings.smtp_url:
        return
    composed = compose(message, settings)
    db.session.rollback()  # no transaction may be open while we talk to the mail server
    try:
        _deliver(composed, settings.smtp_url)
    except (OSError, smtplib.SMTPException) as failure:
        _note_failure(event, failure)
        raise
    with transaction():
        sent = db.session.get_one(MailMessage, event.mail_id)
        sent.sent_at = clock.now()
        sent.params, sent.link = {}, ""
        sent.tries, sent.last_error = sent.tries + 1, None


def _note_failure(event: MailQueued, failure: Exception) -> None:
    """Let the administrator's mail log tell why; the outbox tries again."""
    with transaction():
        message = db.session.get_one(MailMessage, event.mail_id)
        message.tries, message.last_error = message.tries + 1, f"{type(failure).__name__}: {failure}"[:LONGEST_ERROR]


def compose(message: MailMessage, settings: Settings) -> EmailMessage:
    """The mail in the language of its reader."""
    mail = EmailMessage()
    with force_locale(message.locale):
        product = gettext("Chaoshi")
        lines = [worded(message.body, message.params), *_digest_lines(message)]
        if message.link:
            lines += ["", settings.public_url.rstrip("/") + message.link]
        preferences = settings.public_url.rstrip("/") + PREFERENCES
        lines += [
            "",
            "-- ",
            product,
            gettext("This mail was sent by a machine; nobody reads answers to it."),
            gettext("What is mailed to you, and how often, you choose here: %(address)s", address=preferences),
        ]
        mail["Subject"] = " ".join(worded(message.subject, message.params).split())  # one line
    mail["From"] = formataddr((product, settings.mail_sender))
    mail["To"] = message.to_address
    mail["Date"] = format_datetime(message.created_at)
    mail["Message-ID"] = f"<{message.id}@{urlsplit(settings.public_url).hostname}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["List-Unsubscribe"] = f"<{preferences}>"
    mail.set_content("\n".join(lines))
    return mail


def _digest_lines(message: MailMessage) -> list[str]:
    """What a digest lists: every notice that it carries, with its text. Empty for other mails."""
    if not message.is_digest:
        return []
    carried = db.session.scalars(
        select(Notice).where(Notice.mail_id == message.id).order_by(Notice.created_at, Notice.id)
    )
    return [
        line
        for notice in carried
        for line in ("", "* " + worded(notice.subject, notice.params), "  " + worded(notice.text, notice.params))
    ]


def _deliver(mail: EmailMessage, smtp_url: str) -> None:
    """Send by `smtp://user:password@host:port` (STARTTLS) or `smtps://...`."""
    address = urlsplit(smtp_url)
    host = address.hostname or "localhost"
    secure = ssl.create_default_context()
    if address.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, address.port or 465, timeout=SMTP_SECONDS, context=secure)
    else:
        server = smtplib.SMTP(host, address.port or 587, timeout=SMTP_SECONDS)
    with server:
        if address.scheme != "smtps" and server.has_extn("starttls"):
            server.starttls(context=secure)
        if address.username:
            server.login(unquote(address.username), unquote(address.password or ""))
        server.send_message(mail)


@use_case
def mail_reset_link(event: PasswordResetAsked) -> None:
    """Mail a reset link to the account, if there is one that may sign in."""
    user = db.session.get(User, event.user_id) if event.user_id else None
    if user is None or not user.active:
        return
    queue_mail(
        user,
        subject=N_("Set a new password"),
        body=N_(
            "Somebody, perhaps you, asked for a new password. Open the link within one hour and choose it. "
            "If it was not you, you need not do anything."
        ),
        params={},
        link=f"/reset-password/{security.reset_token(user)}",
    )


HANDLERS: Handlers = {MailQueued: (send_mail,), PasswordResetAsked: (mail_reset_link,)}
