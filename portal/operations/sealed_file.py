"""A file that only the key opens, and of which nothing can be changed, cut off or swapped unnoticed.

It begins with a mark, the version of this format, a salt, and the fingerprint of its key. Then come sealed pieces,
each with its length before it: first a manifest, then the content, last the content's hash. A piece is AES-GCM under
a key of this file's own; its number, and whether it is the last, are part of its nonce, and the file's beginning is
part of what each piece seals.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MARK = b"portal-backup\n"
FORMAT = 1
PIECE = 1024 * 1024  # bytes
SALT, FINGERPRINT, SEAL = 16, 8, 16  # bytes
DAMAGED = "it is damaged or not complete: use another one"
BEGINNING = len(MARK) + 2 + SALT + FINGERPRINT


class BadFile(Exception):
    """This file cannot be used; the words say why and what to do."""


def seal(target: BinaryIO, key: str, manifest: dict[str, Any], content: Iterable[bytes]) -> str:
    """Write the manifest and the content to the target; returns the content's SHA-256."""
    salt = os.urandom(SALT)
    beginning = MARK + FORMAT.to_bytes(2, "big") + salt + _derive(key, salt, "fingerprint", FINGERPRINT)
    cipher, digest, size = AESGCM(_derive(key, salt, "key", 32)), hashlib.sha256(), 0
    target.write(beginning)

    def write(number: int, piece: bytes, last: bool = False) -> None:
        sealed = cipher.encrypt(_nonce(number, last), piece, beginning)
        target.write(len(sealed).to_bytes(4, "big") + sealed)

    write(0, json.dumps(manifest).encode())
    number = 0
    for number, piece in enumerate(content, start=1):
        digest.update(piece)
        size += len(piece)
        write(number, piece)
    write(number + 1, json.dumps({"sha256": digest.hexdigest(), "size": size}).encode(), last=True)
    return digest.hexdigest()


def unseal(source: BinaryIO, keys: Sequence[str]) -> tuple[dict[str, Any], Iterator[bytes]]:
    """The manifest, and the content piece by piece; only when it has come to its end is all of it known to be whole.

    Raises BadFile, now or while the content is read.
    """
    beginning = source.read(BEGINNING)
    if not beginning.startswith(MARK) or len(beginning) < BEGINNING:
        raise BadFile("this is no backup of the portal")
    version = int.from_bytes(beginning[len(MARK) : len(MARK) + 2], "big")
    if version > FORMAT:
        raise BadFile(f"a newer portal made it (format {version}, this one reads {FORMAT}): install that one first")
    salt, fingerprint = beginning[-SALT - FINGERPRINT : -FINGERPRINT], beginning[-FINGERPRINT:]
    fitting = [key for key in keys if _derive(key, salt, "fingerprint", FINGERPRINT) == fingerprint]
    if not fitting:
        raise BadFile(
            "it was made with another key: put that one into PORTAL_BACKUP_KEY, or, if none was set then, "
            "the PORTAL_ENCRYPTION_KEYS of that time"
        )
    pieces = _open(source, AESGCM(_derive(fitting[0], salt, "key", 32)), beginning)
    manifest = next(pieces, None)
    if manifest is None:
        raise BadFile(DAMAGED)
    return json.loads(manifest), _check(pieces)


def _open(source: BinaryIO, cipher: AESGCM, beginning: bytes) -> Iterator[bytes]:
    """The pieces in their order; the one after the last content is the hash."""
    number, size = 0, source.read(4)
    while size:
        length = int.from_bytes(size, "big")
        sealed = source.read(min(length, PIECE + SEAL))
        size = source.read(4)  # of the next; after the last there is none
        try:
            piece = cipher.decrypt(_nonce(number, last=not size), sealed, beginning)
        except InvalidTag:
            raise BadFile(DAMAGED) from None
        if len(sealed) != length:
            raise BadFile(DAMAGED)
        yield piece
        number += 1


def _check(pieces: Iterator[bytes]) -> Iterator[bytes]:
    digest, size, held = hashlib.sha256(), 0, next(pieces, b"")
    for piece in pieces:
        digest.update(held)
        size += len(held)
        yield held
        held = piece
    if json.loads(held) != {"sha256": digest.hexdigest(), "size": size}:
        raise BadFile("its content is not what it says: use another one")


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


def _derive(key: str, salt: bytes, purpose: str, length: int) -> bytes:
    return HKDF(SHA256(), length, salt, f"portal backup {purpose}".encode()).derive(key.encode())
