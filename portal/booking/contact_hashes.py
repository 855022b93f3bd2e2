"""Keyed hashes beside encrypted e-mail addresses and phone numbers: whole and equal ones are found by them.

The desk also finds an address by the part before the @, and a phone number by its last four digits; what is typed
beyond that is compared with what was found.
"""

from __future__ import annotations

from portal.core.crypto import find_hashes, keyed_hash

END = 4  # digits


def hash_contact(**given: str | None) -> dict[str, str | None]:
    """The columns of hashes for an `email`, a `phone`, or both."""
    hashes: dict[str, str | None] = {}
    if "email" in given:
        email = (given["email"] or "").casefold()
        hashes["email_hash"] = keyed_hash("email", email) if email else None
        hashes["mailbox_hash"] = keyed_hash("mailbox", email.partition("@")[0]) if email else None
    if "phone" in given:
        digits = read_digits(given["phone"] or "")
        hashes["phone_hash"] = keyed_hash("phone", digits) if digits else None
        hashes["phone_end_hash"] = keyed_hash("phone end", digits[-END:]) if digits else None
    return hashes


def find_email(email: str) -> list[str]:
    """What `email_hash` is for that address, in any case of letters."""
    return find_hashes("email", email.casefold())


def find_mailbox(mailbox: str) -> list[str]:
    """What `mailbox_hash` is for an address with that before the @."""
    return find_hashes("mailbox", mailbox.casefold())


def find_phone(phone: str) -> list[str]:
    """What `phone_hash` is for that number."""
    return find_hashes("phone", read_digits(phone))


def find_phone_end(digits: str) -> list[str]:
    """What `phone_end_hash` is for a number that ends so: four digits or more."""
    return find_hashes("phone end", digits[-END:])


def read_digits(text: str) -> str:
    """The digits of a text."""
    return "".join(c for c in text if c in "0123456789")
