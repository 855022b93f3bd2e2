"""While the database is away, a page that asks for a part of itself says so, and keeps what is chosen."""

from playwright.sync_api import Browser, expect

from tests.browser.conftest import PHONE, follow

AWAY = '<div class="page-error"><h1>The portal is resting</h1><p>Our diary cannot be reached right now.</p></div>'


def test_what_is_chosen_stays_and_the_page_says_why_nothing_came(portal, browser: Browser):
    context = browser.new_context(viewport=PHONE, base_url=portal.address)
    page = context.new_page()
    page.goto("/book/safety")
    page.get_by_label("None of these").check()
    follow(page.locator("main form button").first)
    times = page.locator("#slot-list")
    page.locator("main details").evaluate_all("all => all.forEach(each => each.open = true)")
    choice = page.locator(".filters select").first
    value = choice.locator("option").nth(1).get_attribute("value")

    page.wait_for_load_state("networkidle")  # the page asks once by itself, by the browser's own clocks
    page.route("**/book/?*", lambda route: route.fulfill(status=503, content_type="text/html", body=AWAY))
    choice.select_option(value)
    expect(page.get_by_role("alert")).to_contain_text("Our diary cannot be reached right now.")
    expect(choice).to_have_value(value)
    expect(times).to_be_visible()

    page.unroute("**/book/?*")
    page.route("**/book/?*", lambda route: route.abort())
    choice.dispatch_event("change")
    expect(page.get_by_role("alert")).to_contain_text("No answer came.")

    page.unroute("**/book/?*")
    choice.dispatch_event("change")
    expect(page.get_by_role("alert")).to_have_count(0)
    context.close()
