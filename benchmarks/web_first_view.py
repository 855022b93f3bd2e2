"""What a phone on a slow line sees first: requests, bytes, when the page stands, what shifts, what blocks.

Chromium with the throttling that Lighthouse uses for mobile: 1.6 Mbit/s, 150 ms there and back, a processor four times
slower. Each page is opened, three times, by a browser that has seen nothing of the portal yet; the times are the
middle ones, and grow with what else the machine does.
"""

from __future__ import annotations

import logging
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import Browser, BrowserContext, CDPSession, sync_playwright

from benchmarks.web import build, portal_site

VISITS = 1000
ZONE = "America/New_York"  # of the sample clinic
PHONE = {"width": 390, "height": 844}
SLOW_LINE = {"offline": False, "latency": 150, "downloadThroughput": 1.6e6 / 8, "uploadThroughput": 750e3 / 8}
SLOWER = 4
# Most kilobytes on the wire, by page, and most requests for any.
TARGETS = {"home": 12, "article": 20, "question": 28, "slots": 30, "confirmation": 13}
MOST_REQUESTS = 6
TURNS = 3
OBSERVE = """
window.seen = {lcp: 0, cls: 0, tbt: 0};
new PerformanceObserver(l => l.getEntries().forEach(e => seen.lcp = e.startTime))
  .observe({type: 'largest-contentful-paint', buffered: true});
new PerformanceObserver(l => l.getEntries().forEach(e => seen.cls += e.hadRecentInput ? 0 : e.value))
  .observe({type: 'layout-shift', buffered: true});
new PerformanceObserver(l => l.getEntries().forEach(e => seen.tbt += Math.max(0, e.duration - 50)))
  .observe({type: 'longtask', buffered: true});
"""


@dataclass
class FirstView:
    """What opening one page took."""

    requests: int = 0
    size: float = 0.0
    seen: dict[str, float] = field(default_factory=dict)

    def note(self, event: dict[str, Any]) -> None:
        self.requests += 1
        self.size += event["encodedDataLength"]


def main() -> int:
    logging.disable(logging.INFO)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder, address = Path(name), f"sqlite:///{name}/portal.db"
        desk = build(folder, address, VISITS)
        chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
        with portal_site(folder, address, *desk) as site:
            browser = playwright.chromium.launch(executable_path=chromium)
            print(
                "| Page | Requests | KB on the wire | at most | LCP s | CLS | TBT ms |\n|---|---|---|---|---|---|---|"
            )
            within = [print_view(browser, f"http://{site.host}", page) for page in TARGETS]
            browser.close()
    return not all(within)


def print_view(browser: Browser, address: str, page: str) -> bool:
    views = measure(browser, address, page)
    view = views[0]
    kilobytes = view.size / 1024
    seen = {name: median(one.seen[name] for one in views) for name in view.seen}
    print(
        f"| {page} | {view.requests} | {kilobytes:.1f} | {TARGETS[page]} | {seen['lcp'] / 1000:.2f} | {seen['cls']:.3f}"
        f" | {seen['tbt']:.0f} |"
    )
    return kilobytes <= TARGETS[page] and view.requests <= MOST_REQUESTS


def measure(browser: Browser, address: str, name: str) -> list[FirstView]:
    """Go to the page, as somebody near the clinic; then open it anew on the slow line, without a cache."""
    context = browser.new_context(viewport=PHONE, base_url=address, timezone_id=ZONE)  # type: ignore[arg-type]
    page = context.new_page()
    path = go_to(page, name)
    page.close()
    views = [open_slowly(context, path) for _ in range(TURNS)]
    context.close()
    return views


def open_slowly(context: BrowserContext, path: str) -> FirstView:
    page, view = context.new_page(), FirstView()
    client = context.new_cdp_session(page)
    slow_down(client)
    page.add_init_script(OBSERVE)
    client.on("Network.loadingFinished", view.note)
    page.goto(path, wait_until="load")
    page.wait_for_timeout(2500)
    view.seen = page.evaluate("seen")
    page.close()
    return view


def slow_down(client: CDPSession) -> None:
    client.send("Network.enable")
    client.send("Network.clearBrowserCache")
    client.send("Network.emulateNetworkConditions", SLOW_LINE)
    client.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})


def go_to(page: Any, name: str) -> str:
    """The path of the page, once there is what it shows."""
    if name in {"home", "article"}:
        return {"home": "/", "article": "/articles/migraine"}[name]
    if name == "question":
        page.goto("/assessment/")
        page.click("main form button")
        return "/assessment/red_flags_now"
    page.goto("/book/safety")
    page.check("[value=none]")
    page.click("main form button[name=next], main form .actions button")
    if name == "slots":
        return "/book/"
    page.check("[name=slot] >> nth=0", force=True)
    page.click("form[method=post] .actions button")
    for field_name, value in (("name", "Jane Doe"), ("date_of_birth", "5/17/1980"), ("email", "jane@example.com")):
        page.fill(f"[name={field_name}]", value)
    page.fill("[name=phone]", "212 555 0177")
    page.click("main form .actions button >> nth=0")
    page.wait_for_url("**/book/check")
    page.click("main form:has([name=key]) .actions button >> nth=0")
    page.wait_for_url("**/book/confirmed")
    return "/book/confirmed"


if __name__ == "__main__":
    sys.exit(main())
