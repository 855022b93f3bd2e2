"""Tables of staff accounts. The class names are the ones Flask-Security looks for."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum

from flask_security.models import sqla
from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core.columns import UtcDateTime
from portal.core.db import Base

sqla.FsModels.set_db_info(  # type: ignore[no-untyped-call]
    base_model=Base,
    user_table_name="staff_user",
    role_table_name="staff_role",
    webauthn_table_name="staff_webauthn",
)


class Role(Base, sqla.FsRoleMixin):
    """What a member of staff may do."""

    __tablename__ = "staff_role"


class User(Base, sqla.FsUserMixin):
    """A member of staff."""

    __tablename__ = "staff_user"

    name: Mapped[str] = mapped_column(String(120))
    provider_id: Mapped[int | None] = mapped_column(ForeignKey("provider.id"))  # of a clinician: whose diary it is
    totp_counter: Mapped[int | None]  # of the last code of the app that was taken: each works once

    @property
    def role(self) -> str:
        """The one role of an account."""
        return str(self.roles[0].name) if self.roles else ""

    @property
    def state(self) -> str:
        """Whether somebody can sign in with it: "active", "invited" or "closed"."""
        if not self.active:
            return "closed"
        return "active" if self.password else "invited"


class WebAuthn(Base, sqla.FsWebAuthnMixin):
    """A passkey of a member of staff."""

    __tablename__ = "staff_webauthn"

    @property
    def added_at(self) -> datetime:
        """When it was made."""
        return self.create_datetime.replace(tzinfo=UTC)

    @property
    def used_at(self) -> datetime:
        """When somebody signed in by it last."""
        return self.lastuse_datetime.replace(tzinfo=UTC)


class Proof(StrEnum):
    """What somebody showed last to be who they are. A passkey asks for a finger, a face or a PIN itself."""

    PASSWORD = "password"  # noqa: S105 - alone: the account has no second step
    CODE = "code"
    RECOVERY_CODE = "recovery-code"
    PASSKEY = "passkey"


class StaffSession(Base):
    """A browser in which somebody is signed in, or has got as far as the password. It keeps no address."""

    __tablename__ = "staff_session"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("staff_user.id", ondelete="CASCADE"), index=True)
    proof: Mapped[str | None] = mapped_column(String(14))  # none while the second step is awaited
    device: Mapped[str] = mapped_column(String(60))  # like "Firefox on Windows"
    begun_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    proved_at: Mapped[datetime] = mapped_column(UtcDateTime)
    stepped_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # when the second step was shown at this browser
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    locked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # it ended so, and nothing has happened since
    answered: Mapped[str | None] = mapped_column(String(64), unique=True)  # hash of a passkey's challenge: used once
    new_totp: Mapped[str | None] = mapped_column(String(255))  # encrypted key of an app that is being set up

    user: Mapped[User] = relationship(User)
