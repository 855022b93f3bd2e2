"""Imports Flask-Security without the library of passkeys, in whose place it finds an empty module.

The passkeys are our own (`passkeys.py`) and bring that library when the first one is used: certificates and their
parsers, 60 ms and 10 MB that most web processes never need.
"""

import sys
from types import ModuleType

if "webauthn" not in sys.modules:
    sys.modules["webauthn"] = ModuleType("webauthn")
    try:
        import flask_security.models.sqla  # noqa: F401
    finally:
        del sys.modules["webauthn"]
