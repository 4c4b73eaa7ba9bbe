"""SYNTHETIC certificates and signatures of invented facilities."""

from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from lxml import etree
from msgspec import Struct
from signxml.signer import XMLSigner

from ehr.intake.signature import TrustedCertificate


class Signer(Struct):
    key: rsa.RSAPrivateKey
    certificate: x509.Certificate

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def trusted(self) -> TrustedCertificate:
        return TrustedCertificate(self.certificate.public_bytes(Encoding.DER), required=False)


def make_signer(now: datetime, days: int = 36500, bits: int = 2048, host: str = "nowhere.example") -> Signer:
    """A key and its self-signed certificate of `host`, valid since long ago and for so many days."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "SYNTHETIC facility")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=400))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Signer(key, made)


def signed(text: bytes, signer: Signer, reference: str | list[str] | None = None) -> bytes:
    """The document with an enveloped signature in the place of CHUKYDONVI, SECURITY or at its end.

    reference: ids of the parts to sign; the whole document without.
    """
    root = etree.fromstring(text)
    place = next((one for one in root.iter("CHUKYDONVI", "SIGNATURE")), root)
    key = signer.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    etree.SubElement(
        place, "{http://www.w3.org/2000/09/xmldsig#}Signature", Id="placeholder", nsmap={"ds": DS}
    )
    made = XMLSigner().sign(root, key=key, cert=[signer.certificate], reference_uri=reference)
    return etree.tostring(made, xml_declaration=True, encoding="UTF-8")


DS = "http://www.w3.org/2000/09/xmldsig#"
