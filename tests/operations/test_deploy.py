"""What docs/ tells a clinic to run exists: settings, commands, files; and the programs that read it find no fault."""

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import click
import pytest
import yaml

from portal import create_app
from portal.config import Settings, variable
from tests.servers import ROOT

DEPLOY = ROOT / "docs" / "deploy"
UNITS = sorted(DEPLOY.glob("*.service")) + sorted(DEPLOY.glob("*.timer")) + sorted(DEPLOY.glob("*.socket"))
TEXTS = [*sorted(DEPLOY.iterdir()), *sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md"]
FOR_TESTS = "PORTAL_TEST_"  # what the portal overlooks; with any other name that it does not know no process starts


@pytest.fixture
def engine() -> str:
    """Nothing here is different on another database."""
    return "sqlite"


@pytest.mark.parametrize("file", [*TEXTS, ROOT / "Makefile", ROOT / "tests" / "servers.py"], ids=lambda file: file.name)
def test_each_setting_that_is_named_exists(file):
    known = {variable(name) for name in Settings.model_fields}
    named = {name for name in re.findall(r"PORTAL_[A-Z_]*[A-Z]", file.read_text()) if not name.startswith(FOR_TESTS)}
    assert named <= known


def test_each_command_that_is_named_exists(settings):
    with click.Context(click.Command("flask")):  # a portal made for a command has some that one for the web has not
        commands = create_app(settings).cli
    found = re.compile(r"(?:bin/|`|command: |^ {0,3})flask (?:--app \w+ )?([a-z][a-z -]*)", re.M)
    for line in (line for file in TEXTS for line in found.findall(file.read_text())):
        command, words = commands, line.split()
        while words and hasattr(command, "commands"):
            command = command.get_command(click.Context(command), words[0])
            assert command is not None, line
            words = words[1:]


def test_the_example_of_an_environment_starts_a_portal_once_its_secrets_are_filled_in():
    lines = [line for line in (DEPLOY / "portal.env").read_text().splitlines() if line and not line.startswith("#")]
    environment = dict(line.split("=", 1) for line in lines)
    missing = [name for name, value in environment.items() if not value]
    assert missing == ["PORTAL_SECRET_KEY", "PORTAL_ENCRYPTION_KEYS", "PORTAL_BACKUP_KEY"]
    assert environment["FLASK_APP"] == "portal"  # so that a command need not say it
    settings = Settings.from_environment(environment | {name: f"{name}-{'x' * 40}" for name in missing})
    assert settings.production
    assert settings.trusted_proxies == 1


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_finds_no_fault(unit):
    parsed = configparser.RawConfigParser(strict=False)
    parsed.optionxform = str
    parsed.read(unit)
    if unit.suffix == ".service":
        service = parsed["Service"]
        assert service["User"] == "portal"
        assert (service["ProtectSystem"], service["NoNewPrivileges"]) == ("strict", "yes")
        assert service["ExecStart"].startswith("/opt/portal/bin/")
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    found = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True).stderr.splitlines()
    assert [line for line in found if unit.name in line and "is not executable" not in line] == []


def test_what_is_stopped_by_the_docs_is_not_started_again_by_its_socket():
    stopped = re.findall(r"systemctl stop ([^`]*)", (ROOT / "docs" / "operations.md").read_text())
    assert stopped
    for units in stopped:
        assert {"portal-web.socket", "portal-web", "portal-worker", "portal-metrics"} <= set(units.split())


def test_the_container_runs_as_nobody_special_from_what_is_there():
    text = (DEPLOY / "Containerfile").read_text()
    last_stage = text.rpartition("\nFROM ")[2]
    assert "\nUSER portal\n" in last_stage
    assert "\nCOPY . " not in text
    for sources in re.findall(r"^COPY (?!--from)(.*) \S+$", text, re.M):
        for source in sources.split():
            assert (ROOT / source).exists(), source


def test_the_services_of_compose_change_nothing_but_their_data():
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    assert services.keys() == {"database", "upgrade", "web", "worker"}
    for name in ("upgrade", "web", "worker"):
        assert services[name]["read_only"] is True
        assert services[name]["cap_drop"] == ["ALL"]
        assert (DEPLOY / services[name]["env_file"]).exists()
    assert services["web"]["ports"] == ["127.0.0.1:8000:8000"]


@pytest.mark.parametrize("name", ["nginx.conf", "Caddyfile"])
def test_the_proxys_configuration_is_read_by_it(name, tmp_path):
    program = {"nginx.conf": "nginx", "Caddyfile": "caddy"}[name]
    text = (DEPLOY / name).read_text()
    assert text.count("{") == text.count("}")
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    command = ["caddy", "validate", "--adapter", "caddyfile", "--config", str(DEPLOY / name)]
    if program == "nginx":
        command = ["nginx", "-t", "-c", str(_with_a_certificate(text, tmp_path))]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


def _with_a_certificate(text: str, folder: Path) -> Path:
    """The configuration as it stands in a machine's own, with a certificate that is there."""
    key = ["-newkey", "rsa:2048", "-nodes", "-keyout", str(folder / "key"), "-out", str(folder / "certificate")]
    subprocess.run(
        ["openssl", "req", "-x509", *key, "-subj", "/CN=portal.example.org"], check=True, capture_output=True
    )
    text = re.sub(r"ssl_certificate_key .*;", f"ssl_certificate_key {folder / 'key'};", text)
    text = re.sub(r"ssl_certificate .*;", f"ssl_certificate {folder / 'certificate'};", text)
    text = text.replace("/var/log/nginx/", f"{folder}/")
    file = folder / "nginx.conf"
    file.write_text(f"pid {folder}/pid;\nevents {{}}\nhttp {{\n{text}\n}}\n")
    return file
