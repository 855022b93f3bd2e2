"""Settings: a wrong one stops the start and is named; a missing secret never does with a default."""

import pytest

from portal.config import Settings, SettingsError
from tests.servers import run_command

PRODUCTION = {
    "PORTAL_ENV": "production",
    "PORTAL_SECRET_KEY": "s" * 40,
    "PORTAL_ENCRYPTION_KEYS": "k" * 40,
    "PORTAL_BASE_URL": "https://portal.example",
    "PORTAL_SMTP_URL": "smtp://mail.example",
}

MORE_THAN_A_HOST = ("localhost/portal", "localhost?a=b", "localhost/#top", "me@localhost")
NO_FILE = ("sqlite://", "sqlite:///", "sqlite:///:memory:")


def read(tmp_path, **environment):
    return Settings.from_environment({"PORTAL_DATA_DIR": str(tmp_path), **environment})


@pytest.mark.parametrize("missing", ["SECRET_KEY", "ENCRYPTION_KEYS", "BASE_URL", "SMTP_URL"])
def test_production_refuses_to_start_without_a_secret_and_names_it(tmp_path, missing):
    environment = {name: value for name, value in PRODUCTION.items() if not name.endswith(missing)}
    with pytest.raises(SettingsError, match=f"PORTAL_{missing}"):
        read(tmp_path, **environment)


def test_production_starts_with_them_and_requires_a_second_factor(tmp_path):
    settings = read(tmp_path, **PRODUCTION)
    assert settings.mfa_required
    assert settings.sender == "appointments@portal.example"


@pytest.mark.parametrize("address", ["sqlite:///rel.db", "sqlite:///var/portal.db", "sqlite://portal.db"])
def test_production_has_one_database_in_whatever_folder_a_command_is_given(tmp_path, address):
    whole = "PORTAL_DATABASE_URL: write the whole path, like sqlite:////folder/portal.db"
    with pytest.raises(SettingsError, match=whole):
        read(tmp_path, **PRODUCTION, PORTAL_DATABASE_URL=address)
    assert read(tmp_path, **PRODUCTION, PORTAL_DATABASE_URL=f"sqlite:///{tmp_path}/portal.db")


@pytest.mark.parametrize("given", [{}, {"PORTAL_DATA_DIR": "var"}])
def test_production_has_one_data_folder_in_whatever_folder_a_command_is_given(given):
    with pytest.raises(SettingsError, match="PORTAL_DATA_DIR: write the whole path, like /var/lib/portal"):
        Settings.from_environment({**PRODUCTION, **given})


def test_a_new_database_is_nobody_elses_to_read_and_one_that_is_there_stays_as_it_is(tmp_path):
    tmp_path.chmod(0o755)
    settings, file = read(tmp_path), tmp_path / "portal.db"
    settings.open_folders()
    assert file.stat().st_mode & 0o777 == 0o600
    file.chmod(0o640)
    settings.open_folders()
    assert file.stat().st_mode & 0o777 == 0o640


def test_production_is_served_over_https_except_to_its_own_machine(tmp_path):
    with pytest.raises(SettingsError, match=r"PORTAL_BASE_URL: write https://portal.example"):
        read(tmp_path, **{**PRODUCTION, "PORTAL_BASE_URL": "http://portal.example"})
    assert (
        read(tmp_path, **{**PRODUCTION, "PORTAL_BASE_URL": "http://localhost:8000/"}).address == "http://localhost:8000"
    )


@pytest.mark.parametrize("query", ["", "?starttls=required"])
def test_a_mail_server_is_taken_with_and_without_a_demand_for_encryption(tmp_path, query):
    url = f"smtp://user:password@mail.example:587{query}"
    assert read(tmp_path, **{**PRODUCTION, "PORTAL_SMTP_URL": url}).smtp_url == url


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PORTAL_SMPT_URL", "smtp://x", "did you mean PORTAL_SMTP_URL"),
        ("PORTAL_ENV", "prod", "'development' or 'production'"),
        ("PORTAL_BASE_URL", "portal.example", "https://"),
        ("PORTAL_BASE_URL", "https://portal.example", "PORTAL_ENV must be `production`"),
        ("PORTAL_BASE_URL", "http://localhost:abc", "PORTAL_BASE_URL: write"),
        *(("PORTAL_BASE_URL", f"http://{more}", "PORTAL_BASE_URL: .* and no more") for more in MORE_THAN_A_HOST),
        ("PORTAL_SMTP_URL", "mail.example:25", "smtp://"),
        ("PORTAL_SMTP_URL", "smtp://mail.example:abc", "PORTAL_SMTP_URL: write"),
        (
            "PORTAL_SMTP_URL",
            "smtp://u:p@mail.example?starttls=require",
            "PORTAL_SMTP_URL: .* but `[?]starttls=required`",
        ),
        (
            "PORTAL_SMTP_URL",
            "smtp://u:p@mail.example?startls=required",
            "PORTAL_SMTP_URL: .* but `[?]starttls=required`",
        ),
        ("PORTAL_SMTP_URL", "smtp://u:p@mail.example#starttls=required", "PORTAL_SMTP_URL: "),
        ("PORTAL_SMTP_URL", "smtp://u:p@mail.example/starttls=required", "PORTAL_SMTP_URL: "),
        ("PORTAL_DATA_DIR", __file__, "PORTAL_DATA_DIR: .* cannot be used"),
        ("PORTAL_DATABASE_URL", "mysql://x", "postgresql://"),
        *(("PORTAL_DATABASE_URL", nowhere, "PORTAL_DATABASE_URL: write") for nowhere in NO_FILE),
        ("PORTAL_DATABASE_URL", "postgresql://portal:secret@host:abc/portal", "PORTAL_DATABASE_URL: write"),
        ("PORTAL_TRUSTED_PROXIES", "two", "integer"),
        ("PORTAL_SECRET_KEY", "short", "too short"),
        ("PORTAL_ENCRYPTION_KEYS", f"{'k' * 40},short", "too short"),
        ("PORTAL_STAFF_MFA", "sometimes", "required"),
        ("PORT", "70000", " PORT: "),
    ],
)
def test_a_wrong_setting_is_named_with_what_to_write(tmp_path, name, value, said):
    with pytest.raises(SettingsError, match=said):
        read(tmp_path, **{name: value})


def test_development_makes_its_secrets_once_and_keeps_them_to_itself(tmp_path):
    first, second = read(tmp_path), read(tmp_path)
    assert first.secret_key == second.secret_key
    assert first.encryption_keys == second.encryption_keys
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600


def test_without_any_setting_everything_is_kept_in_var_where_the_command_was_given(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert Settings.from_environment({}).database == f"sqlite:///{tmp_path}/var/portal.db"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PORTAL_ENV", "production", "PORTAL_SECRET_KEY"),
        ("PORTAL_DATABASE_URL", "sqlite:////nowhere/portal.db", "PORTAL_DATABASE_URL: there is no folder /nowhere "),
    ],
)
def test_a_command_says_what_is_wrong_without_a_traceback(tmp_path, name, value, said):
    result = run_command("slots", "open", environment={"PORTAL_DATA_DIR": str(tmp_path), name: value})
    assert result.returncode == 1
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_health_data_is_still_readable_after_a_new_key_is_put_first(app, tmp_path):
    from portal import create_app
    from portal.core import crypto

    with app.app_context():
        cipher = crypto.encrypt(b"an answer")
    settings = app.config["PORTAL"]
    rotated = settings.model_copy(update={"encryption_keys": ("n" * 40, *settings.encryption_keys)})
    with create_app(rotated).app_context():
        assert crypto.decrypt(cipher) == b"an answer"
