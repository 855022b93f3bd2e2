"""Every setting of the portal: its environment variable, its type, its safe default.

A setting `smtp_url` is read from `PORTAL_SMTP_URL`. Nothing else in the portal reads the environment.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

import click
from flask import current_app
from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator, model_validator

PREFIX = "PORTAL_"
NEEDED_IN_PRODUCTION = ("secret_key", "encryption_keys", "base_url", "smtp_url")
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")
STARTTLS = "starttls=required"  # as the query of the mail server's address


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return "PORT" if name == "port" else PREFIX + name.upper()


class SettingsError(click.ClickException):
    """The settings do not let the portal start; the message names each one and what to write.

    A ClickException, so that every command prints it as one plain line instead of a traceback.
    """


class Settings(BaseModel):
    """What differs from one installation to the next. Clinic facts (names, hours) live in the database."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    env: Literal["development", "production"] = Field(
        "development",
        description="`production` for a clinic: refuses to start without its secrets, sends real mail, asks for https.",
    )
    data_dir: Path = Field(
        Path("var"),
        description="Folder for what is not in a PostgreSQL database: the SQLite database, backups, development mail. "
        "Default: `var`, in development; production needs the whole path.",
    )
    database_url: str = Field(
        "",
        description="`postgresql://user:password@host/name`, or `sqlite:////folder/portal.db`. "
        "Default: SQLite in the data folder.",
    )
    secret_key: str = Field(
        "",
        description="Signs cookies and is part of how passwords and second steps are kept: 32 random characters or "
        "more. Changing it signs everybody out, and every account then needs `flask staff reset`. "
        "Default: in development one is made once.",
    )
    encryption_keys: tuple[str, ...] = Field(
        (),
        description="Encrypt health data in the database: comma-separated, newest first, each 32 random characters or "
        "more. Without them that data is lost, so keep a copy apart from the backups. "
        "Default: in development one is made once.",
    )
    base_url: str = Field(
        "",
        description="The address people type, such as `https://portal.example.org`: it stands in mail and is the only "
        "one served. Default: the local address.",
    )
    port: int = Field(8000, ge=1, le=65535, description="Where the web process listens, on the loopback address.")
    smtp_url: str = Field(
        "",
        description="`smtp://user:password@host:port` or `smtps://…`; `?starttls=required` refuses clear text. "
        "Default: none, and in development mail goes to the data folder and is shown at `/dev/mail/`.",
    )
    mail_from: str = Field(
        "", description="The mailbox that mail comes from. Default: `appointments@` and the host of the base address."
    )
    mail_bounces: str = Field(
        "",
        description="A mailbox for mail that comes back. Each mail then has a return path of its own, "
        "`name+number-seal@domain`; let the mail server pipe what arrives there into `flask mail bounce`. "
        "Default: reports go to the mailbox that mail comes from.",
    )
    mail_uncertain: Literal["resend", "hold"] = Field(
        "resend",
        description="What becomes of a mail when the connection broke after its last byte and before the answer: "
        "`resend` sends it once more with the same Message-ID, `hold` leaves it to the desk.",
    )
    staff_mfa: Literal["required", "optional", ""] = Field(
        "",
        description="Second factor for staff: `required` or `optional`. "
        "Default: required in production, optional in development.",
    )
    trusted_proxies: int = Field(
        0, ge=0, le=5, description="How many reverse proxies stand in front, whose `X-Forwarded-` headers are believed."
    )
    backup_key: tuple[str, ...] = Field(
        (),
        description="Encrypts backups: 32 random characters or more; comma-separated and newest first, so that those "
        "made with an older one can be read. Default: the encryption keys.",
    )
    metrics_port: int = Field(
        0,
        ge=0,
        le=65535,
        description="Where `flask metrics` shows Prometheus the portal's figures. Default: nowhere, and none are kept.",
    )
    metrics_host: str = Field("127.0.0.1", description="The address on which that port listens.")
    limits_times: int = Field(
        0,
        ge=0,
        le=1000,
        description="What may be done in a time, times this; what may be guessed stays. For load tests, in which one "
        "address stands for a town. Default: 1 in production, 10 in development.",
    )

    @field_validator("encryption_keys", "backup_key", mode="before")
    @classmethod
    def split_keys(cls, value: object) -> object:
        return tuple(key.strip() for key in value.split(",") if key.strip()) if isinstance(value, str) else value

    @field_validator("data_dir")
    @classmethod
    def make_absolute(cls, value: Path, info: ValidationInfo) -> Path:
        folder = value.expanduser()
        if info.data.get("env") == "production" and not folder.is_absolute():
            raise ValueError("write the whole path, like /var/lib/portal")
        return folder.resolve()

    @field_validator("base_url")
    @classmethod
    def check_base_url(cls, value: str) -> str:
        address = value.rstrip("/")
        if value and (
            not _leads_somewhere(address, "http", "https") or re.search("[/?#@]", address.partition("://")[2])
        ):
            raise ValueError("write the whole address and no more, like https://portal.example.org")
        return address

    @field_validator("mail_from", "mail_bounces")
    @classmethod
    def check_mailbox(cls, value: str) -> str:
        if value and not re.fullmatch(r"[^@\s+]+@[^@\s]+", value):
            raise ValueError("write one mailbox, like appointments@example.org, without a `+`")
        return value

    @field_validator("smtp_url")
    @classmethod
    def check_smtp_url(cls, value: str) -> str:
        if value and not _leads_somewhere(value, "smtp", "smtps"):
            raise ValueError("write smtp://user:password@host:port or smtps://user:password@host:port")
        parts = urlsplit(value)
        if parts.query not in {"", STARTTLS} or parts.fragment or parts.path.strip("/"):
            raise ValueError(f"write nothing behind the port but `?{STARTTLS}`")
        return value

    @field_validator("database_url")
    @classmethod
    def use_our_driver(cls, value: str, info: ValidationInfo) -> str:
        scheme, separator, rest = value.partition("://")
        if scheme == "sqlite" and (file := rest.removeprefix("/")) not in {"", ":memory:"}:
            if info.data.get("env") == "production" and not Path(file).is_absolute():
                raise ValueError("write the whole path, like sqlite:////folder/portal.db")
            return f"sqlite:///{Path(file).resolve()}"
        address = f"postgresql+psycopg{separator}{rest}"
        if scheme in {"postgres", "postgresql", "postgresql+psycopg"} and _can_be_read(address):
            return address
        if value:
            raise ValueError("write postgresql://user:password@host:port/name or sqlite:////folder/portal.db")
        return value

    @model_validator(mode="after")
    def check_together(self) -> Self:
        for name, value in (
            ("secret_key", self.secret_key),
            *(("encryption_keys", k) for k in self.encryption_keys),
            *(("backup_key", k) for k in self.backup_key),
        ):
            if value and len(value) < 32:
                raise ValueError(f"{PREFIX}{name.upper()} is too short: use at least 32 random characters")
        if self.production:
            self._require_for_production()
        elif self.host not in LOOPBACK_HOSTS:
            raise ValueError(f"{PREFIX}BASE_URL names a public host ({self.host}), so {PREFIX}ENV must be `production`")
        return self

    def _require_for_production(self) -> None:
        missing = [variable(name) for name in NEEDED_IN_PRODUCTION if not getattr(self, name)]
        if missing:
            raise ValueError(f"production needs {', '.join(missing)}")
        if self.host not in LOOPBACK_HOSTS and urlsplit(self.base_url).scheme != "https":
            raise ValueError(
                f"{PREFIX}BASE_URL: write https://{self.host}, for browsers keep no cookie of ours over http"
            )

    @property
    def production(self) -> bool:
        return self.env == "production"

    @property
    def address(self) -> str:
        """Where people find the portal, without a slash at the end; the local address where none is set."""
        return self.base_url or f"http://{LOOPBACK_HOSTS[0]}:{self.port}"

    @property
    def host(self) -> str:
        """Host name of `address`."""
        return urlsplit(self.address).hostname or ""

    @property
    def sender(self) -> str:
        """The clinic's mailbox that mail comes from."""
        domain = "clinic.example" if self.host in LOOPBACK_HOSTS else self.host
        return self.mail_from or f"appointments@{domain}"

    @property
    def mfa_required(self) -> bool:
        return (self.staff_mfa or ("required" if self.production else "optional")) == "required"

    @property
    def leeway(self) -> int:
        """So many times as much as in a clinic may be done before a limit of abuse is reached."""
        return self.limits_times or (1 if self.production else 10)

    @property
    def backup_keys(self) -> tuple[str, ...]:
        """What opens a backup; the first one seals it."""
        return self.backup_key or self.encryption_keys

    @property
    def database(self) -> str:
        """SQLAlchemy address of the database."""
        return self.database_url or f"sqlite:///{self.data_dir / 'portal.db'}"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """The settings of this process.

        Raises SettingsError, naming every variable that is wrong, missing or misspelt.
        """
        values = {
            name.removeprefix(PREFIX).lower(): value
            for name, value in environment.items()
            if name.startswith(PREFIX) and not name.startswith(f"{PREFIX}TEST_") and value.strip()
        }
        if environment.get("PORT"):
            values["port"] = environment["PORT"]
        try:
            settings = cls.model_validate(values)
        except ValidationError as error:
            raise _refusal(_explain(error)) from None
        return settings if settings.production else settings.with_development_secrets()

    def with_development_secrets(self) -> Self:
        """These settings, with the secrets left open made once and kept in the data folder."""
        if self.secret_key and self.encryption_keys:
            return self
        with _in_folder(self.data_dir):
            kept = _kept_secrets(self.data_dir / "secrets.json")
        return self.model_copy(
            update={
                "secret_key": self.secret_key or kept["secret_key"],
                "encryption_keys": self.encryption_keys or (kept["encryption_key"],),
            }
        )

    def open_folders(self) -> None:
        """Make the data folder, and SQLite's file, which is nobody else's to read.

        Raises SettingsError when the data folder cannot be one, or when SQLite's own is not there.
        """
        with _in_folder(self.data_dir):
            scheme, _, file = self.database.partition(":///")
            if scheme == "sqlite":
                _make_private(Path(file))


@contextmanager
def _in_folder(data_dir: Path) -> Iterator[None]:
    """The folder, made where there is none; what cannot be done in it is said of its setting."""
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise _refusal([f"{variable('data_dir')}: {data_dir} cannot be used ({error.strerror})"]) from None


def _make_private(database: Path) -> None:
    if not os.access(database.parent, os.X_OK):
        reason = f"there is no folder {database.parent} that this account may use"
        raise _refusal([f"{variable('database_url')}: {reason}"])
    with suppress(OSError):  # it is there already, or whoever opens it says why it cannot be
        database.touch(0o600, exist_ok=False)


def _kept_secrets(file: Path) -> dict[str, str]:
    fresh = {name: secrets.token_urlsafe(48) for name in ("secret_key", "encryption_key")}
    draft = file.with_suffix(f".{os.getpid()}")
    draft.write_text(json.dumps(fresh))
    draft.chmod(0o600)
    try:
        os.link(draft, file)  # fails when another process was first: then its secrets hold
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    kept: dict[str, str] = json.loads(file.read_text())
    return kept


def _leads_somewhere(address: str, *schemes: str) -> bool:
    """Whether it is an address of such a kind that names a host, and a port only by its number."""
    try:
        parts = urlsplit(address)
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _can_be_read(database: str) -> bool:
    from sqlalchemy import make_url  # only where one is set
    from sqlalchemy.exc import ArgumentError

    try:
        return bool(make_url(database))
    except (ArgumentError, ValueError):
        return False


def _refusal(faults: list[str]) -> SettingsError:
    return SettingsError("The portal cannot start with these settings.\n  " + "\n  ".join(faults))


def _explain(error: ValidationError) -> list[str]:
    lines = []
    for fault in error.errors():
        if not fault["loc"]:
            lines.append(fault["msg"].removeprefix("Value error, "))
            continue
        name = str(fault["loc"][0])
        if fault["type"] == "extra_forbidden":
            close = difflib.get_close_matches(name, Settings.model_fields, n=1)
            lines.append(f"{variable(name)} is no setting" + (f"; did you mean {variable(close[0])}?" if close else ""))
        else:
            lines.append(f"{variable(name)}: {fault['msg'].removeprefix('Value error, ')}")
    return lines


def current_settings() -> Settings:
    """The settings of the running portal."""
    settings: Settings = current_app.config["PORTAL"]
    return settings


def resource_folder(name: str) -> Path:
    """Where templates, static files and migrations are: inside an installed package, else in the checkout."""
    package = Path(__file__).resolve().parent
    return package / name if (package / name).is_dir() else package.parent / name
