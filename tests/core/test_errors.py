"""What goes wrong is said in the portal's own dress, with what was kept and what to do next."""

import pytest
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import Forbidden, TooManyRequests


@pytest.fixture
def engine() -> str:
    """Nothing here is different on another database."""
    return "sqlite"


@pytest.fixture
def breaking(app, monkeypatch):
    """A home page that breaks with the given error."""
    app.config["PROPAGATE_EXCEPTIONS"] = False

    def use(error):
        def fail():
            raise error

        monkeypatch.setitem(app.view_functions, "home.show_home", fail)

    return use


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Forbidden(), 403),
        (TooManyRequests(retry_after=30), 429),
        (RuntimeError("a fault"), 500),
        (OperationalError("SELECT secret", {}, Exception("gone")), 503),
    ],
    ids=["forbidden", "too many", "fault", "database away"],
)
def test_each_error_has_a_page_with_a_next_step_and_the_phone(visitor, breaking, error, status):
    visitor.open("/specialists/")  # the clinic's number is known from then on
    breaking(error)
    page = visitor.open("/")
    assert page.status == status
    assert page.heading
    assert "tel:2125550100" in page.links
    assert "/" in page.links
    assert "Traceback" not in page.text
    assert "secret" not in page.text


def test_a_missing_page_says_so(visitor):
    page = visitor.open("/nowhere")
    assert (page.status, page.heading) == (404, "There is no such page")


@pytest.mark.parametrize("path", ["/display", "/assessment/", "/desk/sign-in"])
def test_where_a_browser_says_it_comes_from_breaks_no_page(visitor, path):
    assert visitor.open(path, headers={"Referer": "http://[x"}).status == 200


def test_a_form_without_its_token_from_an_address_that_cannot_be_read_is_asked_for_again(visitor):
    assert visitor.post("/display", {"theme": "dim"}, headers={"Origin": "http://[x"}).outcome == "expired"


def test_what_is_sent_once_more_goes_to_the_very_same_address(visitor):
    address = "/visit/a%3Fb%C3%BC%22/cancel?day=%C3%BC&next=/book/"
    page = visitor.post(address, {"choice": "time"}, headers={"Origin": "http://127.0.0.1:8000"})
    assert (page.outcome, page.form.action) == ("expired", address)


def test_a_wrong_method_names_the_right_ones(visitor):
    response = visitor.client.delete("/articles/")
    assert response.status_code == 405
    assert "GET" in response.headers["Allow"]


def test_the_phone_is_known_even_while_the_database_is_away(app, visitor, monkeypatch):
    visitor.open("/specialists/")

    def away(*_args, **_values):
        raise OperationalError("", {}, Exception("gone"))

    monkeypatch.setattr("portal.scheduling.contact.get_clinic", away)
    monkeypatch.setattr("portal.scheduling.queries.list_providers", away)
    page = visitor.open("/specialists/")
    assert page.status == 503
    assert page.response.headers["Retry-After"] == "60"
    assert "tel:2125550100" in page.links


def test_a_fault_is_logged_without_what_people_typed(app, caplog):
    from sqlalchemy import text

    from portal.core.db import db

    with app.app_context(), pytest.raises(Exception, match="nowhere") as fault:
        db.session.execute(text("INSERT INTO nowhere VALUES (:name)"), {"name": "Jane Doe"})
    assert "Jane Doe" not in str(fault.value)


def test_what_was_typed_while_the_database_is_away_is_sent_once_more_with_one_button(app, visitor, monkeypatch):
    visitor.pass_safety()
    visitor.hold()

    def away(*_args, **_values):
        raise OperationalError("", {}, Exception("gone"))

    with monkeypatch.context() as broken:
        broken.setattr("portal.booking.views.services.save_details", away)
        address = app.config["PORTAL"].address
        page = visitor.post(
            "/book/details", {**visitor.page.form.values, **visitor.DETAILS}, headers={"Origin": address}
        )
    assert (page.status, page.outcome) == (503, "unavailable")
    assert "What you typed is still here" in page.text
    assert visitor.send().path == "/book/check"


@pytest.mark.parametrize(("path", "status"), [("/desk/visit/1", 404), ("/desk/audit", 403)])
def test_at_the_desk_the_way_on_is_today_and_no_word_is_meant_for_a_patient(desk, path, status):
    page = desk.open(path)
    assert page.status == status
    assert "Go to today" in page.text
    assert "If your headache" not in page.text
