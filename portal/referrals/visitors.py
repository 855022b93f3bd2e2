"""Who is asking: a person, a program, or a person who asks not to be followed. Read from the headers, never stored.

How this is decided, and what it cannot tell, stands in docs/decisions/0007-counting-people.md.
"""

from __future__ import annotations

import re
from enum import Enum, auto

from werkzeug.wrappers import Request

# Words that programs have in their names, then the names of some that have none of them.
PROGRAMS = re.compile(
    r"bot\b|bot/|crawl|spider|slurp|scan|preview|fetch|monitor|check|probe|proxy|headless|phantom|lighthouse|archiver"
    r"|curl|wget|python|requests|httpx|aiohttp|okhttp|go-http|java/|libwww|lwp::|ruby|perl|php|axios|node|postman"
    r"|facebookexternalhit|whatsapp|telegram|skype|embedly|pinterest|vkshare|bitly|validator"
    r"|safelinks|barracuda|proofpoint|mimecast|symantec|messagelabs|forcepoint|sophos|trendmicro|virustotal"
    r"|googleimageproxy|ms-office|microsoft office|outlook|thunderbird|feedly|newsblur",
    re.IGNORECASE,
)
AHEAD_OF_TIME = re.compile(r"prefetch|prerender|preview", re.IGNORECASE)


class Visitor(Enum):
    """How somebody who asks for a page is counted."""

    PERSON = auto()
    UNFOLLOWED = auto()  # a person, by all that can be told, who has asked not to be followed
    PROGRAM = auto()


def tell_visitor(request: Request) -> Visitor:
    """Who is asking, by method and headers."""
    headers, agent = request.headers, request.headers.get("User-Agent", "")
    ahead = " ".join(headers.get(name, "") for name in ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"))
    if request.method != "GET" or not agent or PROGRAMS.search(agent) or AHEAD_OF_TIME.search(ahead):
        return Visitor.PROGRAM
    if headers.get("DNT") == "1" or headers.get("Sec-GPC") == "1":
        return Visitor.UNFOLLOWED
    return Visitor.PERSON
