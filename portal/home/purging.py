"""Everything whose time is over is purged, by the rules of all features; noted in the audit trail by kind and count."""

from __future__ import annotations

from portal import audit
from portal.core import retention
from portal.core.db import transactional


def purge() -> dict[str, int]:
    """Purge what is due; how much of each kind of which there was any."""
    purged = {rule.kind: retention.purge(rule) for rule in retention.list_rules()}
    gone = {kind: count for kind, count in purged.items() if count}
    if gone:
        _note(gone)
    return gone


@transactional
def _note(gone: dict[str, int]) -> None:
    audit.services.record("retention-purged", "retention:1", **{kind.replace("-", "_"): n for kind, n in gone.items()})
