"""Our adapter against an issuer that others wrote: npm `oidc-provider`."""

from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from identity.verification.models import Started, Verified
from identity.verification.problems import VERIFICATION_REFUSED
from kernel.clock import SystemClock
from kernel.problems import Refused
from partners.verifiers.models import Issuer
from partners.verifiers.oidc import OidcVerifier
from tests.support.identity_provider import CALLBACK, CLIENT, LEVELS, PERSON
from tests.support.viewer import issuer_of_others

NO = Refused(problem=VERIFICATION_REFUSED)
OTHER = PERSON | {"personal_number": "001190000018", "name": "NGƯỜI KHÁC"}


async def signed_in(verifier: OidcVerifier, hint: str) -> Verified | Refused:
    """A browser that goes there, signs in, agrees and is sent back to us."""
    begun = await verifier.start("a-state", SystemClock().now())
    assert isinstance(begun, Started)
    address = f"{begun.address}&{urlencode({'login_hint': hint})}"
    async with httpx.AsyncClient() as browser:
        for _ in range(10):
            response = await browser.get(address)
            assert response.is_redirect, response.text
            address = str(response.url.join(response.headers["location"]))
            if address.startswith(CALLBACK):
                break
    brought = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    assert brought["state"] == "a-state"
    return await verifier.finish(brought, begun.kept, SystemClock().now())


@pytest.mark.parametrize("alg", ["ES256", "RS256"])
async def test_sign_ins_at_an_issuer_of_others_are_read_as_they_are(alg: str) -> None:
    accounts = {"a": PERSON, "b": OTHER, "nobody": {"name": "Không có số"}}
    with issuer_of_others(CALLBACK, alg, accounts) as address:
        verifier = OidcVerifier(
            Issuer(issuer=address, client_id=CLIENT, redirect_uri=CALLBACK, levels=LEVELS, insecure=True)
        )
        first = await signed_in(verifier, "a/loa2")
        assert first == Verified(
            level=2,
            number=PERSON["personal_number"],
            name=PERSON["name"],
            birth_date=PERSON["birthdate"],
            sex="female",
        )
        lower, another = await signed_in(verifier, "a/loa1"), await signed_in(verifier, "b/loa2")
        assert isinstance(lower, Verified)
        assert isinstance(another, Verified)
        assert (lower.level, lower.number) == (1, PERSON["personal_number"])
        assert (another.level, another.number) == (2, OTHER["personal_number"])
        assert await signed_in(verifier, "nobody/loa2") == NO
        assert await signed_in(verifier, "deny/loa2") == NO
        # An acr that it lets through and that nobody listed here.
        assert await signed_in(verifier, "a/other") == Verified(level=0)
        await verifier.close()
