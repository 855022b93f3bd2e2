"""What the portal is made of, and what is said of its weaknesses."""

import json
import re

import pytest
from dependencies import LOCK, NODE_LOCK, build_sbom, judge

WEAK = {"id": "CVE-2026-0001", "fix_versions": ["2.1"]}
SOUND = {"name": "flask", "version": "3.1.3", "vulns": []}


def told(*packages):
    return json.dumps({"dependencies": packages, "fixes": []})


def test_a_known_weakness_fails_the_audit_and_is_named_with_what_mends_it():
    code, words = judge(told(SOUND, {"name": "jinja2", "version": "2.0", "vulns": [WEAK]}), "")
    assert code == 1
    assert "jinja2 2.0: CVE-2026-0001 (mended in 2.1)" in words


def test_without_one_it_passes():
    assert judge(told(SOUND), "")[0] == 0


@pytest.mark.parametrize("trouble", ["requests.exceptions.ConnectionError: …", "Max retries exceeded with url"])
def test_without_a_connection_it_passes_and_says_that_nothing_was_audited(trouble):
    code, words = judge("", f"ERROR:pip_audit._cli:{trouble}")
    assert code == 0
    assert "NOT AUDITED" in words


def test_what_the_index_does_not_know_is_not_called_audited():
    code, words = judge(told(SOUND, {"name": "wtforms", "skip_reason": "not found"}), "")
    assert (code, words.splitlines()) == (
        0,
        ["Dependencies: 1 audited, 0 known weaknesses.", "NOT AUDITED, as the index tells nothing of them: wtforms"],
    )


def test_any_other_trouble_fails_it():
    assert judge("", "no such file")[0] == 1


def test_every_locked_package_is_in_the_bill_with_its_version_and_hashes():
    lock = LOCK.read_text()
    components = build_sbom(lock, json.loads(NODE_LOCK.read_text()))["components"]
    locked = re.findall(r"^([a-z0-9._-]+)(?:\[.*?\])?==(\S+)", lock, re.MULTILINE)
    assert {(part["name"], part["version"]) for part in components} >= set(locked)
    assert "pkg:npm/htmx.org@4.0.1" in {part["purl"] for part in components}
    assert len(locked) > 50
    assert all(part["hashes"] for part in components)
    assert len({part["bom-ref"] for part in components}) == len(components)
