"""The readers of /verify, run by node, say of every text what the service says of it: published vectors,
official test data of others, and texts that nobody meant to write."""

import base64
import json
import random
import shutil
import subprocess
import zlib
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cbor2
import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from api.pages.static import PLACE
from qr import base45
from tests.support import vectors
from tests.support.hc1_texts import CLAIMS, CONTENT, ENTRY, NOW, es256, hc1
from tests.support.npm import installed
from tests.support.shared import shared
from vaccination.trust.certificates import CertificateError, read_certificate
from vaccination.verify.judging import judge
from vaccination.verify.offline import Files
from vaccination.verify.texts import read

SCRIPT = """
import { readFileSync } from "node:fs";
import { check } from "./judge.js";
import { trustOf } from "./trust.js";
const { lists, max_age_days, is_demo, cases } = JSON.parse(readFileSync(0, "utf-8"));
const trust = await trustOf(lists, max_age_days * 86_400_000, is_demo);
const said = [];
for (const { text, now } of cases) said.push(await check(text, trust, Date.parse(now)));
process.stdout.write(JSON.stringify(said));
"""
Lists = dict[str, list[Any]]
# Of an envelope that is none the two may find another fault first: names that are bytes, say.
MISBUILT = {"INVALID_SIGNING_FORMAT", "NOT_SUPPORTED"}


@pytest.fixture(scope="module")
def readers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the page, where node takes them for modules."""
    installed(Path(__file__).parents[2] / "browser")  # node is there
    place: Path = tmp_path_factory.mktemp("readers") / "verify"
    shutil.copytree(PLACE / "verify", place)
    (place / "package.json").write_text('{"type": "module"}')
    return place


def in_browser(
    readers: Path, lists: Lists, days: int, cases: list[tuple[str, str]], *, is_demo: bool = False
) -> list[dict[str, Any]]:
    """What the page's readers make of (text, now), each. is_demo: on a demo's page."""
    given = {
        "lists": lists,
        "max_age_days": days,
        "is_demo": is_demo,
        "cases": [{"text": text, "now": now} for text, now in cases],
    }
    done = subprocess.run(
        ["node", "--input-type=module", "-e", SCRIPT],
        cwd=readers,
        input=json.dumps(given).encode(),
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    said: list[dict[str, Any]] = json.loads(done.stdout)
    return said


def in_service(lists: Lists, days: int, text: str, now: str) -> tuple[str, str | None]:
    """Status and where it failed, as the service verifies with the same files."""
    files, age = Files(), timedelta(days=days)
    for document in (*lists["keys"], *lists["revocations"], *lists["cardRevocations"]):
        if document.get("certificates") != []:
            files.add(json.dumps(document).encode(), age)
    for issuer in lists["cards"]:
        files.add(json.dumps({"keys": issuer["keys"]}).encode(), age, issuer["issuer"])
    reading = read(text)
    verdict = judge(reading, files.known(reading), datetime.fromisoformat(now))
    step = next((step.name for step in verdict.steps if step.status), None)
    return verdict.status, step


def require_same(readers: Path, lists: Lists, days: int, cases: list[tuple[str, str]]) -> Counter[str]:
    """How often each status."""
    here = in_browser(readers, lists, days, cases)
    unlike = []
    for (text, now), said in zip(cases, here, strict=True):
        there = in_service(lists, days, text, now)
        if (said["status"], said["step"]) != there and not {said["status"], there[0]} <= MISBUILT:
            unlike.append((text[:60], said["status"], said["step"], there))
        if said["status"] != "VERIFIED":
            assert said["holder"] is None
            assert said["statements"] == []
    assert unlike == []
    return Counter(said["status"] for said in here)


def test_s4_a_demos_certificate_is_shown_by_a_demos_page_alone(readers: Path) -> None:
    """Its key is of country XX and certified for test results, which verifiers elsewhere heed."""
    results = ("1.3.6.1.4.1.1847.2021.1.1",)
    demo, real = es256(country="XX", uses=results), es256(uses=results)
    doses = CLAIMS | {1: "XX", -260: {1: CONTENT | {"v": [ENTRY | {"co": "XX"}]}}}
    cases = [(text, NOW.isoformat()) for text in (hc1(demo, doses), hc1(demo), hc1(real))]
    items = [
        {
            "certificateType": "DSC",
            "country": country,
            "kid": one.kid,
            "rawData": base64.b64encode(one.certificate).decode(),
        }
        for country, one in (("XX", demo), ("VN", real))
    ]
    keys = {"certificates": items, "issued_at": NOW.isoformat()}
    lists: Lists = {"keys": [keys], "revocations": [], "cards": [], "cardRevocations": []}
    shown = [said["status"] for said in in_browser(readers, lists, 30, cases, is_demo=True)]
    assert shown == ["VERIFIED", "ISSUER_NOT_TRUSTED", "INVALID_SIGNATURE"]
    assert require_same(readers, lists, 30, cases) == {"INVALID_SIGNATURE": 2, "ISSUER_NOT_TRUSTED": 1}


def test_lists_of_health_cards_grow_old_too(readers: Path) -> None:
    """A card that was revoked since, and a key that was taken away, are not in lists of years ago."""
    case = next(
        one
        for one in vectors.read("certificates")
        if "ok" in one["expect"] and one["input"]["text"].startswith("shc:/")
    )
    text, now = case["input"]["text"], datetime.fromisoformat(case["now"])
    lists, later = case["keys"]["lists"], now + timedelta(days=31)
    for one in lists["cards"]:
        one["issued_at"] = now.isoformat()
    cases = [(text, at.isoformat()) for at in (now, now + timedelta(days=29), later)]
    said = [one["status"] for one in in_browser(readers, lists, 30, cases)]
    assert said == ["VERIFIED", "VERIFIED", "TRUST_DATA_STALE"]


@pytest.mark.parametrize(
    ("now", "before", "older"),
    [
        ({"a": (3, ["x"])}, {"a": (3, ["x"])}, False),
        ({"a": (4, ["x", "y"])}, {"a": (3, ["x"])}, False),
        ({"a": (2, [])}, {"a": (3, ["x"])}, True),
        ({"a": (2, ["x"])}, {"a": (3, [])}, True),
        ({"a": (0, [])}, {"a": (3, ["x"])}, True),
        ({"a": (0, [])}, {"a": (3, [])}, False),
        ({}, {"a": (3, ["x"])}, False),
        ({"a": (3, ["x"]), "b": (1, ["y"])}, {"a": (3, ["x"])}, False),
        ({"a": (3, ["x"]), "b": (1, ["y"])}, {"a": (3, ["x"]), "b": (2, ["y"])}, True),
    ],
)
def test_s29_older_lists_are_not_taken_for_newer_ones(
    readers: Path, now: dict[str, Any], before: dict[str, Any], *, older: bool
) -> None:
    """A service that was put back to an earlier day would call valid what a browser knows to be revoked."""
    given = [
        {
            "revocations": [
                {"kid": kid, "changes": changes, "hashes": {"uci": names}}
                for kid, (changes, names) in state.items()
            ]
        }
        for state in (now, before)
    ]
    script = (
        'import { readFileSync } from "node:fs"; import { isOlder } from "./lists.js";'
        'process.stdout.write(String(isOlder(...JSON.parse(readFileSync(0, "utf-8")))));'
    )
    said = subprocess.run(
        ["node", "--input-type=module", "-e", script],
        cwd=readers,
        input=json.dumps(given).encode(),
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert said.stdout.decode() == str(older).lower()


def of_keys(*certificates: bytes) -> Lists:
    """Lists in the form of the service, with these document signers' certificates (DER)."""
    items = {one["rawData"]: one for one in map(listed_key, certificates)}
    keys = [{"certificates": list(items.values()), "issued_at": "2026-06-01T00:00:00Z"}]
    return {"keys": keys, "revocations": [], "cards": [], "cardRevocations": []}


def listed_key(certificate: bytes) -> dict[str, Any]:
    (country,) = x509.load_der_x509_certificate(certificate).subject.get_attributes_for_oid(
        NameOID.COUNTRY_NAME
    )
    return {
        "certificateType": "DSC",
        "country": country.value,
        "kid": read_certificate(certificate).kid,
        "rawData": base64.b64encode(certificate).decode(),
        "timestamp": "2026-06-01T00:00:00Z",
    }


def test_published_vectors(readers: Path) -> None:
    for case in vectors.read("certificates"):
        keys = case["keys"]
        (said,) = in_browser(
            readers, keys["lists"], keys["max_age_days"], [(case["input"]["text"], case["now"])]
        )
        wanted = case["expect"]
        if "ok" not in wanted:
            assert (said["status"], said["step"]) == (wanted["problem_code"], wanted["step"]), case["name"]
            continue
        holder = wanted["ok"]["holder"]
        assert said["status"] == "VERIFIED", case["name"]
        assert said["isRevocationKnown"] == wanted["ok"]["revocation_known"], case["name"]
        assert [said["holder"][name] for name in ("family", "given", "birthDate")] == list(holder.values())


def official() -> list[tuple[str, bytes, str]]:
    """(text, certificate, clock) of every vector of the European test set that has all three."""
    found = []
    for path in sorted(shared("data/dgc").glob("*/**/*.json")):
        said = json.loads(path.read_text("utf-8-sig"))
        context = said.get("TESTCTX", {}) if isinstance(said, dict) else {}
        if not said or not isinstance(said, dict) or "CERTIFICATE" not in context or "PREFIX" not in said:
            continue
        clock = context.get("VALIDATIONCLOCK") or "2021-06-01T00:00:00Z"
        found.append((said["PREFIX"], base64.b64decode(context["CERTIFICATE"]), clock))
    return found


def test_official_vectors(readers: Path) -> None:
    """By country: one list of all its signers, as it would be published."""
    rows = [row for row in official() if has_country(row[1])]
    lists = of_keys(*(certificate for _, certificate, _ in rows))
    found = require_same(readers, lists, 9_000, [(text, instant(clock)) for text, _, clock in rows])
    assert found["VERIFIED"] > 150, found
    assert set(found) == {"VERIFIED", "INVALID_SIGNATURE", "NOT_YET_VALID", "EXPIRED"}, found


def has_country(certificate: bytes) -> bool:
    try:
        listed_key(certificate)
    except (ValueError, CertificateError):
        return False
    return True


def instant(text: str) -> str:
    return datetime.fromisoformat(text).astimezone(UTC).isoformat()


def test_health_cards_of_others(readers: Path) -> None:
    place = shared("data/shc/dev-tools-testdata")
    texts = [path.read_text() for path in sorted(place.glob("*-[df]-*.txt"))]
    lists: Lists = {"keys": [], "revocations": [], "cards": [], "cardRevocations": []}
    found = require_same(readers, lists, 30, [(text, "2022-05-31T00:00:00Z") for text in texts])
    assert found.total() == len(texts) >= 9, found


def test_bytes_that_nobody_meant_to_write(readers: Path) -> None:
    """Byte by byte changed, cut and repeated: the envelope, and the claims under a good signature."""
    chance, signer = random.Random(12), es256()
    text = hc1(signer)
    data = zlib.decompress(base45.decode(text[4:]))
    texts = [text, text + " ", text[:-1], text.lower(), "HC1:", "HC1: ", "shc:/", "a.b.c"]
    for _ in range(400):
        changed = bytearray(data)
        at = chance.randrange(len(changed))
        if chance.random() < 0.6:
            changed[at] = chance.randrange(256)
        elif chance.random() < 0.5:
            del changed[at : at + chance.randrange(1, 4)]
        else:
            changed[at:at] = chance.randbytes(chance.randrange(1, 4))
        texts.append("HC1:" + base45.encode(zlib.compress(bytes(changed))))
    found = require_same(readers, of_keys(signer.certificate), 30, [(one, NOW.isoformat()) for one in texts])
    assert set(found) >= {"VERIFIED", "INVALID_SIGNATURE", "INVALID_SIGNING_FORMAT"}, found


CLAIMS_OF_STRANGERS: list[Any] = [
    CLAIMS | {4: None},
    CLAIMS | {4: float("nan")},
    CLAIMS | {4: "2030"},
    CLAIMS | {6: 1e300},
    CLAIMS | {5: 2**63},
    CLAIMS | {1: 5},
    CLAIMS | {1: "XX"},
    CLAIMS | {-260: None},
    CLAIMS | {-260: {1: []}},
    CLAIMS | {-260: {1: {}}},
    CLAIMS | {-260: {1: CONTENT | {"v": [ENTRY, ENTRY]}}},
    CLAIMS | {-260: {1: CONTENT | {"v": None, "t": [1, "x"]}}},
    CLAIMS | {-260: {1: CONTENT | {"nam": ["a"], "dob": 5}}},
    CLAIMS | {-260: {1: CONTENT | {"v": [ENTRY | {"co": "FR"}]}}},
    {**CLAIMS, "x": cbor2.CBORTag(258, [1])},
    {**CLAIMS, "x": cbor2.CBORTag(28, [1])},
    {**CLAIMS, "x": cbor2.CBORTag(777, [1])},
    {**CLAIMS, "x": 2**80},
    {**CLAIMS, "x": [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]},
    [],
    "text",
]


def test_claims_of_strangers_under_a_good_signature(readers: Path) -> None:
    signer = es256()
    texts = [hc1(signer, claims) for claims in CLAIMS_OF_STRANGERS]
    found = require_same(readers, of_keys(signer.certificate), 30, [(one, NOW.isoformat()) for one in texts])
    assert len(found) >= 4, found
