"""Tables of staff accounts. The class names are the ones Flask-Security looks for."""

from __future__ import annotations

from flask_security.models import sqla
from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

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
