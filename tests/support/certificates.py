# SPDX-License-Identifier: Apache-2.0
"""Certificates that a test makes: of a name, for a time, signed by whom it likes."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)


class Authority:
    """Somebody who signs certificates."""

    def __init__(self, name: str = "A test") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.name = _name(name)
        self.certificate = _signed(
            self.name, self._key, self.name, self._key, days=(-30, 30), names=(), is_authority=True
        )

    @property
    def pem(self) -> bytes:
        """Its own certificate, for whoever shall trust it."""
        return _pem(self.certificate)

    def trusting(self, context: ssl.SSLContext) -> ssl.SSLContext:
        """Make a client trust it."""
        context.load_verify_locations(cadata=self.pem.decode())
        return context

    def serving(
        self, folder: Path, name: str, days: tuple[int, int] = (-1, 1), *, itself: bool = False
    ) -> ssl.SSLContext:
        """A server's TLS under a certificate of a name, good for these days from now.

        Args:
            folder: where its files may lie.
            name: of the server, or its address.
            days: first and last day.
            itself: whether the server signs it, and not we.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        issuer, signer = (_name(name), key) if itself else (self.name, self._key)
        certificate = _signed(
            _name(name), key, issuer, signer, days=days, names=(name,), is_authority=False
        )
        place = folder / "server.pem"
        place.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + _pem(certificate)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(place)
        return context


def _signed(
    subject: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Name,
    signer: ec.EllipticCurvePrivateKey,
    *,
    days: tuple[int, int],
    names: tuple[str, ...],
    is_authority: bool,
) -> x509.Certificate:
    now = datetime.now(UTC)
    first, last = (now + day * DAY for day in days)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(first)
        .not_valid_after(last)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
    )
    if names:
        alternatives = x509.SubjectAlternativeName([_alternative(name) for name in names])
        builder = builder.add_extension(alternatives, critical=False)
    return builder.sign(signer, hashes.SHA256())


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
