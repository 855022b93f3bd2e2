"""Encryption of health data at rest, and hashes of the secrets in links."""

from __future__ import annotations

import base64
import hashlib
import secrets

from cryptography.fernet import Fernet, MultiFernet
from flask import Flask, current_app

from portal.config import Settings

# Without letters and digits that look or sound alike: no 0/O, 1/I/L, 2/Z, 5/S, 8/B, U/V, M/N.
LETTERS = "ACDEFGHJKPQRTWXY34679"
DIGITS = "34679"


def init_app(app: Flask, settings: Settings) -> None:
    app.extensions["portal.keyring"] = MultiFernet([_fernet(key) for key in settings.encryption_keys])


def encrypt(plain: bytes) -> bytes:
    """Cipher text under the newest key; two calls with the same text give different bytes."""
    return _keyring().encrypt(plain)


def decrypt(cipher: bytes) -> bytes:
    """Plain text, by whichever key of the ring made it. Raises InvalidToken when none did."""
    return _keyring().decrypt(cipher)


def new_token() -> str:
    """128 random bits for a link."""
    return secrets.token_urlsafe(16)


def new_code(length: int, alphabet: str = LETTERS) -> str:
    """Random letters and digits that can be read out on the phone."""
    return "".join(secrets.choice(alphabet) for _ in range(length))


def token_hash(token: str) -> str:
    """What the database keeps of a link's secret: SHA-256 is enough for 128 random bits."""
    return hashlib.sha256(token.encode()).hexdigest()


def _keyring() -> MultiFernet:
    keyring: MultiFernet = current_app.extensions["portal.keyring"]
    return keyring


def _fernet(key: str) -> Fernet:
    # Keys are long random text of any form; hashing gives the 32 bytes that Fernet wants.
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest()))
