"""What somebody hears by mail of the own account: if it was not they who changed it, they learn of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal
from uuid import UUID

from flask import Flask, current_app

from portal.accounts.models import User
from portal.core import clock

News = Literal["password-changed", "second-step-changed", "second-step-reset", "passkey-added"]
Send = Callable[[str, UUID, int], object]  # what, about whom, when in seconds


def send_with(app: Flask, send: Send) -> None:
    """Let a feature that knows mail send it, within the transaction of what it tells."""
    app.extensions["portal.account_news"] = send


def tell(user: User, what: News) -> None:
    """Mail that to the person."""
    send: Send = current_app.extensions["portal.account_news"]
    send(what, UUID(int=user.id), int(clock.now().timestamp()))
