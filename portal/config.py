"""Every setting of the portal: its environment variable, its type, its safe default.

A setting `smtp_url` is read from `PORTAL_SMTP_URL`. Nothing else in the portal reads the environment.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

import click
from flask import current_app
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

PREFIX = "PORTAL_"
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")


class SettingsError(click.ClickException):
    """The settings do not let the portal start; the message names each one and what to write.

    A ClickException, so that every command prints it as one plain line instead of a traceback.
    """


class Settings(BaseModel):
    """What differs from one installation to the next. Clinic facts (names, hours) live in the database."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    env: Literal["development", "production"] = Field(
        "development", description="`production` refuses to start without secrets and sends real mail."
    )
    data_dir: Path = Field(Path("var"), description="Folder for the SQLite database and development mail.")
    database_url: str = Field("", description="PostgreSQL or SQLite address. Default: SQLite in the data folder.")
    secret_key: str = Field("", min_length=0, description="Signs cookies. At least 32 random characters.")
    encryption_keys: tuple[str, ...] = Field(
        (),
        description="Encrypt health data at rest: comma-separated, newest first, 32 characters or more each.",
    )
    base_url: str = Field("", description="The address people type, used in mail. Default: the local one.")
    port: int = Field(8000, ge=1, le=65535, description="Where the web process listens (the variable is `PORT`).")
    smtp_url: str = Field("", description="`smtp://user:password@host:port`, or `smtps://`; `?starttls=required`.")
    mail_from: str = Field("", description="The mailbox that mail comes from. Default: appointments@ the host.")
    mail_bounces: str = Field("", description="A mailbox for mail that comes back; each mail gets its own `+` address.")
    mail_uncertain: Literal["resend", "hold"] = Field(
        "resend", description="What becomes of a mail whose fate is unknown: sent once more, or left to the desk."
    )
    staff_mfa: Literal["required", "optional", ""] = Field(
        "", description="Second factor for staff. Default: required in production, optional in development."
    )
    trusted_proxies: int = Field(0, ge=0, le=5, description="How many reverse proxies stand in front.")
    limits_times: int = Field(1, ge=1, le=1000, description="For load tests: every limit of abuse times this.")

    @field_validator("encryption_keys", mode="before")
    @classmethod
    def split_keys(cls, value: object) -> object:
        return tuple(key.strip() for key in value.split(",") if key.strip()) if isinstance(value, str) else value

    @field_validator("data_dir")
    @classmethod
    def make_absolute(cls, value: Path) -> Path:
        return value.expanduser().resolve()

    @field_validator("base_url")
    @classmethod
    def check_base_url(cls, value: str) -> str:
        if value and (urlsplit(value).scheme not in {"http", "https"} or not urlsplit(value).hostname):
            raise ValueError("write the whole address, like https://portal.example.org")
        return value.rstrip("/")

    @field_validator("mail_from", "mail_bounces")
    @classmethod
    def check_mailbox(cls, value: str) -> str:
        if value and not re.fullmatch(r"[^@\s+]+@[^@\s]+", value):
            raise ValueError("write one mailbox, like appointments@example.org, without a `+`")
        return value

    @field_validator("smtp_url")
    @classmethod
    def check_smtp_url(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in {"smtp", "smtps"} or not parts.hostname):
            raise ValueError("write smtp://user:password@host:port or smtps://user:password@host:port")
        return value

    @field_validator("database_url")
    @classmethod
    def use_our_driver(cls, value: str) -> str:
        scheme, separator, rest = value.partition("://")
        if scheme in {"postgres", "postgresql"}:
            return f"postgresql+psycopg{separator}{rest}"
        if scheme == "sqlite":
            return f"sqlite:///{Path(rest.removeprefix('/')).resolve()}"
        if value and scheme != "postgresql+psycopg":
            raise ValueError("write postgresql://user:password@host/name or sqlite:////folder/portal.db")
        return value

    @model_validator(mode="after")
    def check_together(self) -> Self:
        for name, value in (
            ("secret_key", self.secret_key),
            *(("encryption_keys", k) for k in self.encryption_keys),
        ):
            if value and len(value) < 32:
                raise ValueError(f"{PREFIX}{name.upper()} is too short: use at least 32 random characters")
        if self.production:
            self._require_for_production()
        elif self.host not in LOOPBACK_HOSTS:
            raise ValueError(f"{PREFIX}BASE_URL names a public host ({self.host}), so {PREFIX}ENV must be `production`")
        return self

    def _require_for_production(self) -> None:
        names = ("secret_key", "encryption_keys", "base_url", "smtp_url")
        missing = [PREFIX + name.upper() for name in names if not getattr(self, name)]
        if missing:
            raise ValueError(f"production needs {', '.join(missing)}")

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
            raise SettingsError(_explain(error)) from None
        return settings if settings.production else settings.with_development_secrets()

    def with_development_secrets(self) -> Self:
        """These settings, with the secrets left open made once and kept in the data folder."""
        if self.secret_key and self.encryption_keys:
            return self
        kept = _kept_secrets(self.data_dir / "secrets.json")
        return self.model_copy(
            update={
                "secret_key": self.secret_key or kept["secret_key"],
                "encryption_keys": self.encryption_keys or (kept["encryption_key"],),
            }
        )


def _kept_secrets(file: Path) -> dict[str, str]:
    file.parent.mkdir(parents=True, exist_ok=True)
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


def _explain(error: ValidationError) -> str:
    lines = []
    for fault in error.errors():
        if not fault["loc"]:
            lines.append(fault["msg"].removeprefix("Value error, "))
            continue
        name = str(fault["loc"][0])
        variable = PREFIX + name.upper()
        if fault["type"] == "extra_forbidden":
            close = difflib.get_close_matches(name, Settings.model_fields, n=1)
            lines.append(f"{variable} is no setting" + (f"; did you mean {PREFIX}{close[0].upper()}?" if close else ""))
        else:
            lines.append(f"{variable}: {fault['msg'].removeprefix('Value error, ')}")
    return "The portal cannot start with these settings.\n  " + "\n  ".join(lines)


def current_settings() -> Settings:
    """The settings of the running portal."""
    settings: Settings = current_app.config["PORTAL"]
    return settings


def resource_folder(name: str) -> Path:
    """Where templates, static files and migrations are: inside an installed package, else in the checkout."""
    package = Path(__file__).resolve().parent
    return package / name if (package / name).is_dir() else package.parent / name
