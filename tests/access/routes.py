"""Every route of a portal, with an address for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple
from uuid import UUID

from flask import Flask

# What stands in an address where nothing is meant in particular, and nothing of the kind exists.
MISSING = {"day": "2026-11-18", "month": "2026-11", "section": "places", "filename": "nothing", "kind": "articles"}
BY_CONVERTER: dict[str, Any] = {"UUIDConverter": UUID(int=0), "IntegerConverter": 999_999}


class Action(NamedTuple):
    """Something that can be asked for."""

    endpoint: str
    method: str
    address: str
    names_something: bool  # whether the address says what it is about, by a number, a code or a key


def list_actions(app: Flask, **values: Any) -> list[Action]:
    """Each route with each of its methods; `values` stand in the address for arguments of that name.

    A name like "setup.code" is that of one feature alone.
    """
    return sorted(_actions(app, values))


def list_addresses(app: Flask) -> list[str]:
    """Each address once, with nothing existing behind its ids."""
    return sorted({action.address for action in list_actions(app)})


def _actions(app: Flask, values: dict[str, Any]) -> Iterator[Action]:
    with app.test_request_context():
        adapter = app.create_url_adapter(None) or app.url_map.bind("127.0.0.1:8000")
        for rule in app.url_map.iter_rules():
            feature = rule.endpoint.partition(".")[0]
            arguments = {name: _value(feature, name, kind, values) for name, kind in rule._converters.items()}
            names_something = bool(arguments.keys() - MISSING.keys())
            for method in (rule.methods or set()) & {"GET", "POST"}:
                address = adapter.build(rule.endpoint, arguments, method=method)
                yield Action(rule.endpoint, method, address, names_something)


def _value(feature: str, name: str, converter: object, values: dict[str, Any]) -> Any:
    fallback = BY_CONVERTER.get(type(converter).__name__, MISSING.get(name, "nothing"))
    return values.get(f"{feature}.{name}", values.get(name, fallback))
