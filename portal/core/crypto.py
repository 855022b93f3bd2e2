"""Encryption of health data at rest, keyed hashes of what is looked up, and hashes of the secrets in links."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from contextlib import suppress
from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from flask import Flask, current_app

from portal.config import Settings

# Without letters and digits that look or sound alike: no 0/O, 1/I/L, 2/Z, 5/S, 8/B, U/V, M/N.
LETTERS = "ACDEFGHJKPQRTWXY34679"
DIGITS = "34679"
SIGN_OF_CIPHER: Final = "gAAAAA"  # how each cipher text begins: Fernet's version and the zeros of its time


class Keyring:
    """The keys of PORTAL_ENCRYPTION_KEYS, newest first: each encrypts, and makes hashes by a key derived from it."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        self._fernets = [_fernet(key) for key in keys]
        self._hash_keys = [_derive(key, "keyed hash") for key in keys]
        self.all = MultiFernet(self._fernets)
        self.names = [_derive(key, "name").hex()[:8] for key in keys]  # to speak of a key without showing it

    def find_key(self, cipher: bytes) -> int | None:
        """The place in the ring, 0 for the newest, of the key that made this cipher text; None when none did."""
        for place, fernet in enumerate(self._fernets):
            with suppress(InvalidToken):
                fernet.decrypt(cipher)
                return place
        return None

    def hash(self, purpose: str, words: str) -> list[str]:
        """The hash of the words under each key, the newest first."""
        content = f"{purpose}\0{words}".encode()
        return [hmac.new(key, content, hashlib.sha256).hexdigest() for key in self._hash_keys]


def init_app(app: Flask, settings: Settings) -> None:
    app.extensions["portal.keyring"] = Keyring(settings.encryption_keys)


def encrypt(plain: bytes) -> bytes:
    """Cipher text under the newest key; two calls with the same text give different bytes."""
    return get_keyring().all.encrypt(plain)


def decrypt(cipher: bytes) -> bytes:
    """Plain text, by whichever key of the ring made it. Raises InvalidToken when none did."""
    return get_keyring().all.decrypt(cipher)


def keyed_hash(purpose: str, words: str) -> str:
    """What is stored beside encrypted words so that equal ones are found: nobody without the keys can try words out.

    The purpose keeps hashes of different columns apart, so that they cannot be compared.
    """
    return get_keyring().hash(purpose, words)[0]


def find_hashes(purpose: str, words: str) -> list[str]:
    """What to look for: the hash under each key, as a row may not have been brought under the newest yet."""
    return get_keyring().hash(purpose, words)


def new_token() -> str:
    """128 random bits for a link."""
    return secrets.token_urlsafe(16)


def new_code(length: int, alphabet: str = LETTERS) -> str:
    """Random letters and digits that can be read out on the phone."""
    return "".join(secrets.choice(alphabet) for _ in range(length))


def token_hash(token: str) -> str:
    """What the database keeps of a link's secret: SHA-256 is enough for 128 random bits."""
    return hashlib.sha256(token.encode()).hexdigest()


def get_keyring() -> Keyring:
    """The keys of the running portal."""
    keyring: Keyring = current_app.extensions["portal.keyring"]
    return keyring


def _fernet(key: str) -> Fernet:
    # Keys are long random text of any form; hashing gives the 32 bytes that Fernet wants.
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest()))


def _derive(key: str, purpose: str) -> bytes:
    return hmac.new(key.encode(), purpose.encode(), hashlib.sha256).digest()
