"""Addresses that data or partners supply (security.md S29): what is refused, and what is asked of whom."""

import asyncio
from collections.abc import Awaitable, Callable

import httpx
import pytest

from store import egress
from store.egress import Egress, EgressError, checked, is_public

PUBLIC = "93.184.216.34"


def resolving(*addresses: str) -> Callable[[str], Awaitable[list[str]]]:
    async def resolve(_host: str) -> list[str]:
        return list(addresses)

    return resolve


class Partner(httpx.AsyncBaseTransport):
    """The far side: notes what was asked of which address, and answers as told."""

    def __init__(self, status: int = 200, body: bytes = b"{}", **headers: str) -> None:
        self.status, self.body, self.headers = status, body, {"content-type": "application/json", **headers}
        self.asked: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return httpx.Response(self.status, headers=self.headers, stream=httpx.ByteStream(self.body))


HOSTILE_ADDRESSES = [
    ("http://example.org/a", "scheme"),
    ("ftp://example.org/a", "scheme"),
    ("file:///etc/passwd", "scheme"),
    ("gopher://example.org/", "scheme"),
    ("HTTP://example.org/", "scheme"),
    ("//example.org/a", "scheme"),
    ("https://user:word@example.org/", "credentials"),
    ("https://example.org@10.0.0.1/", "credentials"),
    ("https://@example.org/", "credentials"),
    ("https://example.org:8443/", "port"),
    ("https://example.org:22/", "port"),
    ("https://example.org:99999/", "url"),
    ("https://127.0.0.1/", "host"),
    ("https://10.0.0.1/", "host"),
    ("https://169.254.169.254/latest/meta-data", "host"),
    ("https://2130706433/", "host"),
    ("https://0x7f000001/", "host"),
    ("https://0x7f.0.0.1/", "host"),
    ("https://0177.0.0.1/", "host"),
    ("https://127.1/", "host"),
    ("https://0/", "host"),
    ("https://[::1]/", "host"),
    ("https://[::ffff:127.0.0.1]/", "host"),
    ("https://[fe80::1%25eth0]/", "host"),
    ("https://localhost/", "host"),
    ("https://localhost./", "host"),
    ("https://db.localhost/", "host"),
    ("https://metadata.google.internal/", "host"),
    ("https://printer.local/", "host"),
    ("https://intranet/", "host"),
    ("https://1.0.0.127.in-addr.arpa/", "host"),
    ("https:///path", "host"),
    ("https://exa_mple.org/", "host"),
    ("https://-example.org/", "host"),
    ("https://ⓔxample.org/", "url"),
    ("https://example。org/", "url"),
    ("https://example.org\\@10.0.0.1/", "url"),
    ("https://example.org/a b", "url"),
    ("https://example.org/\r\nHost: x", "url"),
    ("https://example.org/\x00", "url"),
    ("https://[::1/", "url"),
    ("https://example.org/" + "a" * 2000, "url"),
    ("", "url"),
]


@pytest.mark.parametrize(("url", "reason"), HOSTILE_ADDRESSES)
async def test_s29_a_hostile_address_is_refused_before_anybody_is_asked(url: str, reason: str) -> None:
    partner = Partner()

    async def nobody(_host: str) -> list[str]:
        raise AssertionError("a refused address is not even resolved")

    with pytest.raises(EgressError) as refused:
        await Egress(nobody, partner).fetch(url)
    assert refused.value.reason == reason
    assert partner.asked == []


PRIVATE = [
    "127.0.0.1",
    "127.255.255.254",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "192.0.2.1",
    "198.18.0.1",
    "::",
    "::1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "2002:0a00:0001::",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "fe80::1",
    "fc00::1",
    "fd12:3456::1",
    "ff02::1",
    "2001:db8::1",
    "fec0::1",
    "not-an-address",
]


@pytest.mark.parametrize("address", PRIVATE)
async def test_s29_a_name_that_leads_inside_is_refused(address: str) -> None:
    partner = Partner()
    for answers in ([address], [PUBLIC, address], [address, PUBLIC]):
        with pytest.raises(EgressError) as refused:
            await Egress(resolving(*answers), partner).fetch("https://partner.example.org/jwks")
        assert refused.value.reason == "private-address"
    assert partner.asked == []


@pytest.mark.parametrize("address", [PUBLIC, "1.1.1.1", "2606:4700:4700::1111"])
def test_s29_public_addresses_are_public(address: str) -> None:
    assert is_public(address)


async def test_s29_a_name_is_resolved_once_and_its_address_pinned() -> None:
    """Rebinding: the second answer would lead inside, and is never asked for."""
    partner, answers = Partner(), iter([[PUBLIC], ["127.0.0.1"]])

    async def rebinding(_host: str) -> list[str]:
        return next(answers)

    fetched = await Egress(rebinding, partner).fetch("https://Partner.example.org/jwks?x=1")
    (asked,) = partner.asked
    assert (fetched.body, fetched.media_type) == (b"{}", "application/json")
    assert asked.url.host == PUBLIC
    assert asked.url.raw_path == b"/jwks?x=1"
    assert asked.headers["host"] == "partner.example.org"
    assert asked.extensions["sni_hostname"] == "partner.example.org"
    assert next(answers) == ["127.0.0.1"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_s29_a_redirect_is_refused_and_not_followed(status: int) -> None:
    partner = Partner(status, location="https://169.254.169.254/")
    with pytest.raises(EgressError) as refused:
        await Egress(resolving(PUBLIC), partner).fetch("https://partner.example.org/")
    assert refused.value.reason == "redirect"
    assert len(partner.asked) == 1


@pytest.mark.parametrize("status", [204, 401, 404, 500])
async def test_s29_only_a_whole_answer_counts(status: int) -> None:
    with pytest.raises(EgressError, match="status"):
        await Egress(resolving(PUBLIC), Partner(status)).fetch("https://partner.example.org/")


async def test_s29_two_megabytes_are_the_end_also_when_compressed() -> None:
    exact, more = Partner(body=bytes(egress.BYTES_MAX)), Partner(body=bytes(egress.BYTES_MAX + 1))
    assert len((await Egress(resolving(PUBLIC), exact).fetch("https://a.example.org/")).body) == 2097152
    with pytest.raises(EgressError, match="too-large"):
        await Egress(resolving(PUBLIC), more).fetch("https://a.example.org/")
    with pytest.raises(EgressError, match="status"):
        await Egress(
            resolving(PUBLIC), Partner(content_encoding="gzip", **{"content-encoding": "gzip"})
        ).fetch("https://a.example.org/")


@pytest.mark.parametrize(
    "partner",
    [Partner(202, b"x" * (egress.BYTES_MAX + 1)), Partner(204, b"", **{"content-encoding": "gzip"})],
)
async def test_an_arrival_is_one_whatever_its_answer_says_besides(partner: Partner) -> None:
    way = Egress(resolving(PUBLIC), partner)
    assert await way.push("https://partner.example.org/x", b"{}", "text/plain") == partner.status


async def test_s29_a_slow_partner_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:  # noqa: ARG002
            await asyncio.Event().wait()
            raise AssertionError

    monkeypatch.setattr(egress, "SECONDS_MAX", 0.05)
    with pytest.raises(EgressError, match="timeout"):
        await Egress(resolving(PUBLIC), Silent()).fetch("https://partner.example.org/")


async def test_s29_an_unknown_name_and_a_dead_partner_say_so_without_the_address() -> None:
    async def unknown(_host: str) -> list[str]:
        raise OSError("Name or service not known: secret.example.org")

    class Dead(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            raise httpx.ConnectError(f"cannot connect to {request.url}")

    for made, reason in (
        (Egress(unknown), "unknown-name"),
        (Egress(resolving()), "unknown-name"),
        (Egress(resolving(PUBLIC), Dead()), "unreachable"),
    ):
        with pytest.raises(EgressError) as refused:
            await made.fetch("https://secret.example.org/x")
        assert str(refused.value) == reason


def test_s29_a_plain_address_is_taken_apart() -> None:
    assert checked("https://a.example.org") == ("a.example.org", "/")
    assert checked("https://A.Example.org.:443/x/y?z=1#frag") == ("a.example.org", "/x/y?z=1")
