"""References that people read out on the phone, and the secrets in their links."""

from __future__ import annotations

import secrets

# Without letters and digits that look or sound alike: no 0/O, 1/I/L, 2/Z, 5/S, 8/B, U/V, M/N.
LETTERS = "ACDEFGHJKPQRTWXY34679"
DIGITS = "34679"


def new_reference(clinic_code: str) -> str:
    """A reference like TPM-7K3F-94."""
    body = "".join(secrets.choice(LETTERS) for _ in range(4))
    tail = "".join(secrets.choice(DIGITS) for _ in range(2))
    return f"{clinic_code}-{body}-{tail}"


def new_token() -> str:
    """128 random bits for the link to one visit."""
    return secrets.token_urlsafe(16)
