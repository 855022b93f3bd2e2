"""docs/settings.md, written from the settings themselves."""

from __future__ import annotations

from portal.config import NEEDED_IN_PRODUCTION, Settings, variable

HEAD = """# Settings

Each is an environment variable. A wrong, missing or misspelt one stops the start and is named.
`make settings` writes this page from `portal/config.py`.

| Variable | What | Default |
|---|---|---|
"""
FOOT = """
A random secret: `python3 -c "import secrets; print(secrets.token_urlsafe(48))"`.

How a key is changed stands in [operations.md](operations.md#changing-keys): each in its own way.
"""


def write_settings_page() -> str:
    """The reference of all settings, as Markdown."""
    return HEAD + "".join(_row(name) for name in Settings.model_fields) + FOOT


def _row(name: str) -> str:
    field = Settings.model_fields[name]
    what, _, default = (field.description or "").partition(" Default: ")
    default = default.rstrip(".") or f"`{field.default}`"
    if name in NEEDED_IN_PRODUCTION:
        default += "; required in production"
    return f"| `{variable(name)}` | {what} | {default} |\n"
