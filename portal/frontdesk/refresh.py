"""Parts of pages that refresh themselves: what a browser has already is not sent again.

A part says in the address of its refresh which state it shows; the answer to that address is nothing while the part
would be the same. The state is told by the part itself, as it would be sent, so nothing can be forgotten in it.
"""

from __future__ import annotations

import hashlib

from flask import Response, g, request

from portal.core.htmx import htmx


def note_state(part: str) -> str:
    """What tells this state of a part from every other one; the answer to this request is measured by it."""
    g.state_of_part = state = hashlib.blake2b(part.encode(), digest_size=12).hexdigest()
    return state


def unless_known(response: Response) -> Response:
    """The answer, or nothing where the browser shows the part in this state."""
    if not htmx.partial or g.get("state_of_part", "") != request.args.get("poll"):
        return response
    nothing = Response(status=204)
    nothing.vary.update(response.vary)
    return nothing
