"""`flask clinic load`: a mistake in the file is named, and then nothing is stored."""

from pathlib import Path

import pytest

from portal.run import SAMPLE_CLINIC
from portal.scheduling.clinic_file import read_clinic_file
from portal.scheduling.queries import get_zone, list_locations
from tests.conftest import CLINIC

GOOD = CLINIC.read_text()
MISTAKES = {
    "not TOML": (GOOD + "\n[", "clinic.toml"),
    "an unknown name": (GOOD.replace("directions", "directons"), "directons"),
    "an unknown zone": (GOOD.replace("America/New_York", "America/Gotham"), "is no time zone"),
    "a clinician nobody defined": (
        GOOD.replace('provider = "ben"', 'provider = "bob"'),
        "provider 'bob' is not defined",
    ),
    "a rule that is none": (
        GOOD.replace("FREQ=WEEKLY;BYDAY=TU,TH", "every Tuesday"),
        "FREQ=WEEKLY;BYDAY=MO,TH",
    ),
    "closing before opening": (
        GOOD.replace("closes = 15:00:00", "closes = 12:00:00"),
        "`closes` must be later",
    ),
    "a link out of the portal": (
        GOOD.replace('"/assessment/"', '"//evil.example/"'),
        "referral_links.2.destination",
    ),
    "a way of meeting that does not exist": (GOOD.replace('"phone"\n', '"telepathy"\n', 1), "mode"),
    "no clinic": ("", "clinic"),
}


@pytest.mark.parametrize(("text", "said"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_named_and_nothing_is_stored(app, tmp_path, text, said):
    file = tmp_path / "clinic.toml"
    file.write_text(text)
    result = app.test_cli_runner().invoke(args=["clinic", "load", str(file)])
    assert result.exit_code == 1
    assert "Nothing was stored" in result.output
    assert said in result.output


def test_a_place_that_opens_later_changes_no_day_of_the_clinic(app, tmp_path):
    place = '\n[[locations]]\ncode = "up"\nname = "Anchorage"\nzone = "America/Anchorage"\naddress = "3 Test Street"\n'
    file = tmp_path / "clinic.toml"
    file.write_text(GOOD + place)
    assert app.test_cli_runner().invoke(args=["clinic", "load", str(file)]).exit_code == 0
    with app.app_context():
        assert [place.name for place in list_locations()] == ["Anchorage", "East", "West"]
        assert get_zone().key == "America/New_York"


def test_a_missing_file_is_named(app):
    result = app.test_cli_runner().invoke(args=["clinic", "load", "nowhere.toml"])
    assert result.exit_code == 1
    assert "nowhere.toml: No such file" in result.output


def test_loading_again_changes_what_changed_and_keeps_the_rest(app, tmp_path, visitor):
    file = tmp_path / "clinic.toml"
    file.write_text(GOOD.replace("Ada Test, MD", "Ada Tested, MD"))
    assert app.test_cli_runner().invoke(args=["clinic", "load", str(file)]).exit_code == 0
    assert "Ada Tested, MD" in visitor.open("/specialists/").text
    assert visitor.page.text.count("Free times with") == 2


def test_the_sample_clinic_is_good_and_visibly_a_sample():
    sample = read_clinic_file(Path(SAMPLE_CLINIC))
    assert sample.clinic.sample
    assert all("Sample" in provider.name for provider in sample.providers)
    assert len({location.zone_key for location in sample.locations}) == 2
    assert {visit_type.mode for visit_type in sample.visit_types} == {"in-person", "video", "phone"}
