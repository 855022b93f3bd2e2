"""A mail server that cannot be trusted, offers no TLS or knows another password: nothing leaves in the clear."""

from __future__ import annotations

import ipaddress
import ssl
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from portal.notifications.models import MailState
from tests.notifications.queued import few_and_many, list_confirmations, queue_confirmations, states
from tests.notifications.smtp import HANG_UP, Fault

# smtplib leaves a connection that begins badly to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture
def engine() -> str:
    """Nothing here is different on another database."""
    return "sqlite"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for this machine that nobody has signed but itself, with its key, as a file."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "here")])
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    now, years = datetime.now(UTC), timedelta(days=3650)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - years).not_valid_after(now + years).add_extension(here, critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    file = tmp_path_factory.mktemp("certificate") / "here.pem"
    pem = serialization.Encoding.PEM
    file.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + builder.sign(key, hashes.SHA256()).public_bytes(pem)
    )
    return file


@pytest.fixture
def over_tls(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


class TestNothingLeavesInTheClear:
    """Not a mail and not the password; and all of it leaves once the server can be trusted."""

    @pytest.fixture
    def ask_for_tls(self, server, configure):
        def ask_for_tls(options="?starttls=required"):
            server.offers = (*server.offers, "AUTH PLAIN")
            configure(smtp_url=server.url.replace("://", "://clinic:s3cret@") + options)

        return ask_for_tls

    @few_and_many
    @pytest.mark.parametrize("options", ["?starttls=required", ""])
    def test_while_the_certificate_cannot_be_trusted(
        self, server, send, ask_for_tls, over_tls, certificate, monkeypatch, options, count
    ):
        ask_for_tls(options)
        server.context = over_tls
        ids = queue_confirmations(count)
        send()
        assert states() == {MailState.RETRYING: count}
        assert all("CERTIFICATE_VERIFY_FAILED" in mail.last_error for mail in list_confirmations())
        assert server.said_in_clear == {"EHLO", "STARTTLS"}
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        send()
        assert Counter(server.message_ids) == Counter(ids)
        assert all(mail.secure for mail in server.arrived)
        assert "AUTH" in {command.split()[0] for command, secure in server.said if secure}
        assert server.said_in_clear == {"EHLO", "STARTTLS"}

    @few_and_many
    @pytest.mark.parametrize("fault", [None, Fault("starttls", "454 not now"), Fault("starttls", HANG_UP)], ids=str)
    def test_while_the_server_offers_no_tls_and_it_is_required(
        self, server, send, ask_for_tls, over_tls, certificate, monkeypatch, fault, count
    ):
        ask_for_tls()
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        server.context = over_tls if fault else None
        ids = queue_confirmations(count)
        send(server, fault) if fault else send()
        assert states() == {MailState.RETRYING: count}
        assert not server.said_in_clear & {"AUTH", "MAIL", "RCPT", "DATA"}
        server.context = over_tls
        send()
        assert Counter(server.message_ids) == Counter(ids)
        assert all(mail.secure for mail in server.arrived)

    @few_and_many
    def test_a_wrong_password_holds_the_mail_until_it_is_right(self, server, send, ask_for_tls, count):
        ask_for_tls(options="")
        ids = queue_confirmations(count)
        send(server, Fault("auth", "535 no"))
        assert states() == {MailState.RETRYING: count}
        assert "MAIL" not in server.said_in_clear
        send()
        assert Counter(server.message_ids) == Counter(ids)
