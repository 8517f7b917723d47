"""What differs per installation. What differs per jurisdiction and date is the rule book, not a setting."""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path


class Mode(StrEnum):
    DEVELOPMENT = "development"
    TESTING = "testing"
    PRODUCTION = "production"


class MissingSetting(Exception):
    """A setting that this mode cannot run without is absent or contradicts another."""


@dataclass(frozen=True)
class BankAccount:
    """An account that payers transfer to, as it is shown to them."""

    holder: str
    bank: str
    number: str

    @classmethod
    def read(cls, text: str) -> "BankAccount":
        """Read "holder|bank|number". Raises MissingSetting for anything else."""
        parts = [part.strip() for part in text.split("|")]
        if len(parts) != 3 or not all(parts):
            raise MissingSetting("a bank account is written as holder|bank|number")
        return cls(*parts)


@dataclass(frozen=True)
class Settings:
    """Every setting with its default for development. Secrets have no default in production."""

    mode: Mode = Mode.DEVELOPMENT
    data_dir: Path = Path("data")
    audit_key_file: Path | None = None
    database_url: str = ""
    secret_key: str = field(default="", repr=False)
    password_salt: str = field(default="", repr=False)
    public_url: str = "http://127.0.0.1:8000"
    behind_proxies: int = 0
    stripe_secret_key: str = field(default="sk_test_chaoshi_demo", repr=False)
    stripe_base_url: str = "http://127.0.0.1:8421"
    stripe_public_url: str = ""
    stripe_webhook_secrets: tuple[str, ...] = field(default=(), repr=False)
    stripe_own_qr: bool = False
    stripe_treasury_key: str = field(default="", repr=False)
    alipay: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    wechat_pay: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    bank_account: BankAccount | None = BankAccount(
        "江城市网上中介超市资金专户", "江城银行政务支行", "3301 0400 0160 0008 21"
    )
    treasury_account: BankAccount | None = BankAccount(
        "江城市财政局非税收入财政专户", "江城银行国库支行", "3301 0400 0160 0009 95"
    )
    ems_base_url: str = "http://127.0.0.1:8422/sim/ems/amp-prod-api/f/amp/api/open"
    ems_sender_no: str = "1100000000001"
    ems_authorization: str = field(default="SIMAUTH000000001", repr=False)
    ems_sign_key: str = field(default="U0lNLUtFWS0wMDAwMDAwMQ==", repr=False)
    ems_notice_segment: str = field(default="development", repr=False)
    ems_project_id: str = ""
    kuaidi100_base_url: str = "https://poll.kuaidi100.com"
    kuaidi100_customer: str = ""
    kuaidi100_key: str = field(default="", repr=False)
    kuaidi100_salt: str = field(default="", repr=False)
    smtp_url: str = field(default="", repr=False)
    mail_sender: str = "no-reply@chaoshi.example"
    demonstration: bool = True
    clock_file: Path | None = None
    rehearsal: bool = False
    rehearsal_url: str = ""

    @property
    def is_production(self) -> bool:
        return self.mode is Mode.PRODUCTION

    @property
    def sqlalchemy_url(self) -> str:
        return self.database_url or f"sqlite:///{(self.data_dir / 'chaoshi.sqlite').resolve()}"

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> "Settings":
        """Read CHAOSHI_* variables. Raises MissingSetting when production would run on a default that is no secret."""
        env = os.environ if environ is None else environ
        mode = Mode(env.get("CHAOSHI_ENV", Mode.DEVELOPMENT))
        data_dir = Path(env.get("CHAOSHI_DATA", "data"))
        default = cls()
        settings = cls(
            mode=mode,
            data_dir=data_dir,
            audit_key_file=Path(env["CHAOSHI_AUDIT_KEY"]) if env.get("CHAOSHI_AUDIT_KEY") else None,
            database_url=env.get("CHAOSHI_DATABASE_URL", ""),
            secret_key=env.get("CHAOSHI_SECRET_KEY", "") or _kept_secret(mode, data_dir, "secret_key"),
            password_salt=env.get("CHAOSHI_PASSWORD_SALT", "") or _kept_secret(mode, data_dir, "password_salt"),
            public_url=env.get("CHAOSHI_PUBLIC_URL", f"http://127.0.0.1:{env.get('PORT', '8000')}"),
            behind_proxies=int(env.get("CHAOSHI_PROXIES", "0")),
            stripe_secret_key=env.get("STRIPE_SECRET_KEY", default.stripe_secret_key),
            stripe_base_url=env.get("STRIPE_BASE_URL", "")
            or ("https://api.stripe.com" if "STRIPE_SECRET_KEY" in env else default.stripe_base_url),
            stripe_public_url=env.get("STRIPE_PUBLIC_URL", ""),
            stripe_webhook_secrets=tuple(s for s in env.get("STRIPE_WEBHOOK_SECRETS", "").split(",") if s),
            stripe_own_qr=env.get("STRIPE_OWN_QR") == "1",
            stripe_treasury_key=env.get("STRIPE_TREASURY_SECRET_KEY", ""),
            alipay=_merchant(env, "ALIPAY", ALIPAY_SETTINGS),
            wechat_pay=_merchant(env, "WECHAT_PAY", WECHAT_SETTINGS),
            bank_account=_account(env.get("CHAOSHI_BANK_ACCOUNT", ""), mode, default.bank_account),
            treasury_account=_account(env.get("CHAOSHI_TREASURY_ACCOUNT", ""), mode, default.treasury_account),
            ems_base_url=env.get("EMS_BASE_URL", default.ems_base_url),
            ems_sender_no=env.get("EMS_SENDER_NO", default.ems_sender_no),
            ems_authorization=env.get("EMS_AUTHORIZATION", default.ems_authorization),
            ems_sign_key=env.get("EMS_SIGN_KEY", default.ems_sign_key),
            ems_notice_segment=env.get("EMS_NOTICE_SEGMENT", default.ems_notice_segment),
            ems_project_id=env.get("EMS_PROJECT_ID", ""),
            kuaidi100_base_url=env.get("KUAIDI100_BASE_URL", default.kuaidi100_base_url),
            kuaidi100_customer=env.get("KUAIDI100_CUSTOMER", ""),
            kuaidi100_key=env.get("KUAIDI100_KEY", ""),
            kuaidi100_salt=env.get("KUAIDI100_SALT", ""),
            smtp_url=env.get("CHAOSHI_SMTP_URL", ""),
            mail_sender=env.get("CHAOSHI_MAIL_SENDER", default.mail_sender),
            clock_file=Path(env["CHAOSHI_CLOCK_FILE"]) if env.get("CHAOSHI_CLOCK_FILE") else None,
            rehearsal=env.get("CHAOSHI_REHEARSAL") == "1",
            rehearsal_url=env.get("CHAOSHI_REHEARSAL_URL", ""),
            demonstration=env.get("CHAOSHI_DEMONSTRATION", "0" if mode is Mode.PRODUCTION else "1") == "1",
        )
        settings.check()
        return settings

    def check(self) -> None:
        """Raise MissingSetting when these settings must not run together."""
        live = self.stripe_secret_key.startswith("sk_live_")
        if live and self.stripe_base_url != "https://api.stripe.com":
            raise MissingSetting("a live Stripe key may only be used with https://api.stripe.com")
        if not self.is_production:
            return
        if self.rehearsal:
            raise MissingSetting("production may not be a rehearsal: remove CHAOSHI_REHEARSAL")
        if self.clock_file:
            raise MissingSetting("production may not run on a rehearsal clock: remove CHAOSHI_CLOCK_FILE")
        wanted = {
            "CHAOSHI_SECRET_KEY": self.secret_key,
            "CHAOSHI_PASSWORD_SALT": self.password_salt,
            "CHAOSHI_SMTP_URL": self.smtp_url,
        }
        missing = [name for name, value in wanted.items() if not value]
        if missing:
            raise MissingSetting("production needs " + ", ".join(missing))
        if not self.public_url.startswith("https://"):
            raise MissingSetting("production needs an https CHAOSHI_PUBLIC_URL")
        if "127.0.0.1" in self.stripe_base_url or self.stripe_secret_key == Settings.stripe_secret_key:
            raise MissingSetting("production may not use the payment simulator: set STRIPE_SECRET_KEY")
        if "127.0.0.1" in self.ems_base_url or self.ems_authorization == Settings.ems_authorization:
            raise MissingSetting("production may not use the carrier simulator: set EMS_BASE_URL, EMS_AUTHORIZATION")
        if self.ems_notice_segment == Settings.ems_notice_segment:
            raise MissingSetting("production needs a secret EMS_NOTICE_SEGMENT")
        if self.kuaidi100_customer and not (self.kuaidi100_key and self.kuaidi100_salt):
            raise MissingSetting("KUAIDI100_CUSTOMER needs KUAIDI100_KEY and KUAIDI100_SALT beside it")
        if "127.0.0.1" in self.kuaidi100_base_url:
            raise MissingSetting("production may not use the simulated aggregator: remove KUAIDI100_BASE_URL")


ALIPAY_SETTINGS = ("app_id", "seller_id", "private_key", "alipay_public_key")
WECHAT_SETTINGS = (
    "merchant_id", "app_id", "serial_no", "platform_key_id", "private_key", "platform_public_key", "api_v3_key",
)  # fmt: skip


def _merchant(env: Mapping[str, str], prefix: str, names: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """The settings of a direct gateway, empty when it is off. A key may be given as `..._FILE`, the path of its PEM.

    Raises MissingSetting when only some of them are set: a half configured gateway must not look like one.
    """
    found: dict[str, str] = {}
    for name in names:
        variable = f"{prefix}_{name.upper()}"
        if env.get(f"{variable}_FILE"):
            found[name] = Path(env[f"{variable}_FILE"]).read_text()
        elif env.get(variable):
            found[name] = env[variable]
    missing = [f"{prefix}_{name.upper()}" for name in names if name not in found]
    if found and missing:
        raise MissingSetting(f"{prefix} is half configured: set " + ", ".join(missing))
    if found and env.get(f"{prefix}_BASE_URL"):
        found["base_url"] = env[f"{prefix}_BASE_URL"]
    return tuple(found.items())


def _account(text: str, mode: Mode, invented: BankAccount | None) -> BankAccount | None:
    """The account that was set; outside production an invented one, so that nobody is ever asked to pay to it."""
    if text:
        return BankAccount.read(text)
    return None if mode is Mode.PRODUCTION else invented


def _kept_secret(mode: Mode, data_dir: Path, name: str) -> str:
    """Outside production, make a secret once and keep it beside the data, so that sessions outlive a restart."""
    if mode is Mode.PRODUCTION:
        return ""
    path = data_dir / name
    if not path.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        path.write_text(secrets.token_urlsafe(48))
        path.chmod(0o600)
    return path.read_text().strip()
