"""What the clinic is called, as every page knows it: this feature stands below the one that keeps it."""

from __future__ import annotations

from flask import current_app


def clinic_names() -> tuple[str, str]:
    """The clinic's name, and the short one."""
    page: dict[str, object] = {}
    current_app.update_template_context(page)
    clinic = page["clinic"]
    return str(getattr(clinic, "name", "")), str(getattr(clinic, "short_name", ""))
