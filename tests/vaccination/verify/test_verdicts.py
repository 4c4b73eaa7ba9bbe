"""Each status for its own reason, and what the field carries is taken."""

import zlib
from datetime import timedelta
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec.structs import replace

from qr import base45
from tests.support.hc1_texts import (
    CLAIMS,
    CONTENT,
    ENTRY,
    EXPIRES,
    ISSUED,
    NOW,
    Signer,
    cose_of,
    es256,
    hc1,
    kid_bytes,
    ps256,
    text_of,
    with_entries,
    with_entry,
)
from vaccination.trust.certificates import read_certificate
from vaccination.trust.models import TrustedKey
from vaccination.verify.judging import Known, judge
from vaccination.verify.models import Status, StepName, Verdict
from vaccination.verify.texts import read


def key_of(signer: Signer, **changes: Any) -> TrustedKey:
    return read_certificate(signer.certificate).trusted(**changes)


def verdict(text: str, *keys: TrustedKey, **options: Any) -> Verdict:
    known = Known(keys=keys, is_revoked=options.pop("is_revoked", False))
    return judge(read(text), known, options.pop("now", NOW), **options)


def notes(found: Verdict, name: StepName) -> tuple[str, ...]:
    return next(step.notes for step in found.steps if step.name == name)


@pytest.mark.parametrize("signer", [es256(), ps256()], ids=["ES256", "PS256"])
def test_both_algorithms_verify(signer: Signer) -> None:
    found = verdict(hc1(signer), key_of(signer))
    assert found.status == "VERIFIED"
    assert [step.outcome for step in found.steps] == ["passed"] * 13
    assert found.algorithm == ("ES256" if signer.algorithm == -7 else "PS256")
    assert found.holder is not None
    assert (found.holder.family_name, found.holder.given_name_latin) == ("Nguyễn", "BAO<DUY")
    assert found.statements[0].certificate_id == ENTRY["ci"]


@pytest.mark.parametrize("tags", [(), (18,), (61, 18)])
def test_envelopes_with_and_without_their_tags_are_read(tags: tuple[int, ...]) -> None:
    signer = es256()
    assert verdict(hc1(signer, tags=tags), key_of(signer)).status == "VERIFIED"


@pytest.mark.parametrize("tags", [(17,), (18, 61), (18, 18, 18)])
def test_other_tags_are_no_signed_envelope(tags: tuple[int, ...]) -> None:
    signer = es256()
    assert verdict(hc1(signer, tags=tags), key_of(signer)).status == "INVALID_SIGNING_FORMAT"


def test_a_kid_may_stand_unprotected_and_the_protected_one_wins() -> None:
    signer = es256()
    outside = hc1(signer, protected={1: -7}, unprotected={4: kid_bytes(signer)})
    assert verdict(outside, key_of(signer)).status == "VERIFIED"
    both = hc1(signer, unprotected={4: b"another."})
    assert verdict(both, key_of(signer)).status == "VERIFIED"
    wrong = hc1(signer, protected={1: -7, 4: b"another."}, unprotected={4: kid_bytes(signer)})
    assert verdict(wrong, key_of(signer)).status == "ISSUER_NOT_TRUSTED"


@pytest.mark.parametrize("kid", [None, "text", 7, b"", b"x" * 65, [b"12345678"]])
def test_without_a_kid_that_can_be_looked_for_there_is_none(kid: object) -> None:
    signer = es256()
    protected = {1: -7} if kid is None else {1: -7, 4: kid}
    assert verdict(hc1(signer, protected=protected), key_of(signer)).status == "KID_NOT_INCLUDED"


def test_every_key_of_a_kid_is_tried() -> None:
    signer, other = es256(), es256()
    same_kid = key_of(other, kid=signer.kid)
    assert verdict(hc1(signer), same_kid, key_of(signer)).status == "VERIFIED"
    assert verdict(hc1(signer), same_kid).status == "INVALID_SIGNATURE"


@pytest.mark.parametrize("arc", ["1.3.6.1.4.1.1847.2021.1", "1.3.6.1.4.1.0.1847.2021.1"])
def test_key_usage_of_both_arcs_is_kept_to(arc: str) -> None:
    for number, status in ((1, "INVALID_SIGNATURE"), (2, "VERIFIED"), (3, "INVALID_SIGNATURE")):
        signer = es256(uses=(f"{arc}.{number}",))
        found = verdict(hc1(signer), key_of(signer))
        assert found.status == status
        if status != "VERIFIED":
            assert next(step.name for step in found.steps if step.status) == "key-usage"
    other = es256(uses=("1.3.6.1.5.5.7.3.1",))
    assert verdict(hc1(other), key_of(other)).status == "VERIFIED", "it names none of the three"


def test_s29_key_usage_holds_for_every_entry() -> None:
    test = {"tg": "840539006", "tt": "LP6464-4", "sc": "2026-05-20T08:00:00Z", "tr": "260415000", "co": "VN"}
    both = CLAIMS | {-260: {1: CONTENT | {"t": [test]}}}
    arc = "1.3.6.1.4.1.1847.2021.1"
    for uses, status in (((2,), "INVALID_SIGNATURE"), ((1,), "INVALID_SIGNATURE"), ((1, 2), "VERIFIED")):
        signer = es256(uses=tuple(f"{arc}.{number}" for number in uses))
        assert verdict(hc1(signer, both), key_of(signer)).status == status


def test_the_identifier_of_every_entry_is_looked_for() -> None:
    signer = es256()
    second = ENTRY | {"ci": "URN:UVCI:01:VN:SECOND"}
    found = read(hc1(signer, with_entries(ENTRY, second))).hashes
    for hashes, entry in zip(found, (ENTRY, second), strict=True):
        alone = read(hc1(signer, with_entries(entry))).hashes[0]
        assert {**alone, "signature": b""} == {**hashes, "signature": b""}
    assert found[0]["uci"] != found[1]["uci"]


def test_a_key_on_another_curve_signs_nothing_here() -> None:
    signer = Signer(ec.generate_private_key(ec.SECP384R1()))
    assert verdict(hc1(signer), key_of(signer)).status == "INVALID_SIGNATURE"


def test_an_algorithm_of_the_other_kind_of_key_does_not_fit() -> None:
    signer = ps256()
    text = hc1(signer, protected={1: -7, 4: kid_bytes(signer)})
    assert verdict(text, key_of(signer)).status == "INVALID_SIGNATURE"


@pytest.mark.parametrize("algorithm", [-8, -35, 0, "ES256", None, True, b"x", 2**70, -7.0])
def test_other_algorithms_are_not_supported(algorithm: object) -> None:
    signer = es256()
    text = hc1(signer, protected={1: algorithm, 4: kid_bytes(signer)})
    # -7.0 equals -7 to Python and is still no algorithm of COSE's.
    assert verdict(text, key_of(signer)).status == "NOT_SUPPORTED"


def test_float_times_are_taken() -> None:
    signer = es256()
    claims = CLAIMS | {4: EXPIRES + 0.25, 6: ISSUED + 0.5}
    assert verdict(hc1(signer, claims), key_of(signer)).status == "VERIFIED"


def test_times_are_held_to_the_second() -> None:
    signer = es256()
    text, key = hc1(signer), key_of(signer)
    for seconds, status in ((-1, "NOT_YET_VALID"), (0, "VERIFIED")):
        assert verdict(text, key, now=NOW - timedelta(days=10) + timedelta(seconds=seconds)).status == status
    for seconds, status in ((0, "VERIFIED"), (1, "EXPIRED")):
        assert verdict(text, key, now=NOW + timedelta(days=300, seconds=seconds)).status == status


def test_a_key_past_its_certificate_says_so_and_no_more() -> None:
    signer = es256(until=NOW - timedelta(days=1))
    assert verdict(hc1(signer), key_of(signer)).status == "EXPIRED_KEYS"


def test_an_unknown_key_is_an_untrusted_issuer_and_never_invalid() -> None:
    found = verdict(hc1(es256()))
    assert found.status == "ISSUER_NOT_TRUSTED"
    assert {step.name for step in found.steps if step.outcome == "not-reached"} == {
        "signature",
        "key-usage",
        "key-state",
        "trust-age",
    }


def test_one_changed_byte_is_an_invalid_signature() -> None:
    signer = es256()
    changed = cose_of(signer).replace(b"BAO<DUY", b"BAO<DUX")
    assert verdict(text_of(changed), key_of(signer)).status == "INVALID_SIGNATURE"


def test_a_revoked_certificate_and_one_that_no_list_speaks_of() -> None:
    signer = es256()
    assert verdict(hc1(signer), key_of(signer), is_revoked=True).status == "REVOKED"
    found = verdict(hc1(signer), key_of(signer), is_revoked=None)
    assert (found.status, notes(found, "revocation")) == ("VERIFIED", ("no-list",))


def test_s29_stale_trust_data_is_an_answer_of_its_own() -> None:
    signer = es256()
    stale = replace(key_of(signer), fresh_until=NOW - timedelta(seconds=1))
    assert verdict(hc1(signer), stale).status == "TRUST_DATA_STALE"
    assert verdict(hc1(signer, CLAIMS | {4: ISSUED + 1}), stale).status == "EXPIRED"
    assert verdict(hc1(es256()), stale).status == "ISSUER_NOT_TRUSTED"
    assert verdict(hc1(signer), replace(stale, fresh_until=NOW)).status == "VERIFIED"


@pytest.mark.parametrize(
    ("state", "status"), [("terminated", "TERMINATED_KEYS"), ("revoked", "REVOKED_KEYS")]
)
def test_a_key_that_counts_no_longer_says_why(state: Any, status: Status) -> None:
    signer = es256()
    gone = replace(key_of(signer), state=state)
    assert verdict(hc1(signer), gone).status == status
    twins = ((gone, key_of(signer)), (key_of(signer), gone))
    wanted = "VERIFIED" if state == "terminated" else "REVOKED_KEYS"
    assert {verdict(hc1(signer), *both).status for both in twins} == {wanted}, "another list has it still"


def test_s29_a_fresh_list_speaks_before_a_stale_one_and_a_valid_key_before_an_expired() -> None:
    signer = es256()
    key = key_of(signer)
    day = timedelta(days=1)
    for worse in (
        replace(key, fresh_until=NOW - day),
        replace(key, not_after=NOW - day),
        replace(key, state="terminated"),
        replace(key, uses=frozenset("t")),
    ):
        assert verdict(hc1(signer), worse).status != "VERIFIED"
        for both in ((worse, replace(key, fresh_until=NOW + day)), (key, worse)):
            assert verdict(hc1(signer), *both).status == "VERIFIED"


def test_s29_a_country_speaks_for_itself_alone() -> None:
    signer = es256(country="DE")
    found = verdict(hc1(signer), key_of(signer))
    assert (found.status, notes(found, "key")) == ("ISSUER_NOT_TRUSTED", ("other-issuer",))
    greek = es256(country="GR")
    assert verdict(hc1(greek, with_entry(co="EL") | {1: "EL"}), key_of(greek)).status == "VERIFIED"
    office = es256(country="FR")
    assert verdict(hc1(office, with_entry(co="FR") | {1: "CNAM"}), key_of(office)).status == "VERIFIED"
    assert verdict(hc1(signer, CLAIMS | {1: "CNAM"}), key_of(signer)).status == "ISSUER_NOT_TRUSTED"
    nameless = es256(country=None)
    assert notes(verdict(hc1(nameless), key_of(nameless)), "key") == ("key-of-unnamed-issuer",)


def test_unknown_codes_warn_and_an_odd_count_of_doses_too() -> None:
    signer = es256()
    found = verdict(hc1(signer, with_entry(mp="Nano-Covax", dn=3, sd=2)), key_of(signer))
    assert found.status == "VERIFIED"
    assert notes(found, "schema") == ("unknown-value:v.mp", "dose-over-series")


@pytest.mark.parametrize(("dn", "sd"), [(1, 2), (2, 2), (3, 3), (4, 4), (2, 1), (3.0, 3.0)])
def test_boosters_as_the_field_writes_them_pass(dn: float, sd: float) -> None:
    signer = es256()
    found = verdict(hc1(signer, with_entry(dn=dn, sd=sd)), key_of(signer))
    assert found.status == "VERIFIED"
    assert "dose-over-series" not in notes(found, "schema")
    assert (found.statements[0].dose_number, found.statements[0].series_doses) == (int(dn), int(sd))


def test_what_leaves_the_schema_warns_and_is_an_error_to_the_strict() -> None:
    signer = es256()
    text = hc1(signer, CLAIMS | {-260: {1: CONTENT | {"dob": "10.10.1983", "t": [{}]}}})
    found = verdict(text, key_of(signer))
    assert found.status == "VERIFIED"
    assert notes(found, "schema")[:2] == ("dob", "parts")
    assert verdict(text, key_of(signer), is_strict=True).status == "INVALID_SCHEMA"


def test_dates_with_their_tag_are_read() -> None:
    signer = es256()
    tagged = cbor2.dumps(with_entry(dt=cbor2.CBORTag(0, "2026-03-18T00:00:00Z")))
    found = verdict(hc1(signer, tagged), key_of(signer))
    assert (found.status, found.statements[0].occurred) == ("VERIFIED", "2026-03-18T00:00:00Z")


@pytest.mark.parametrize("level", [0, 1, 6, 9])
def test_any_level_of_compression_is_read(level: int) -> None:
    signer = es256()
    assert verdict(text_of(cose_of(signer), level), key_of(signer)).status == "VERIFIED"


def test_spaces_of_base45_are_part_of_it_and_others_are_not() -> None:
    signer = es256()
    found = next(text for text in (hc1(signer) for _ in range(1000)) if " " in text)
    assert verdict(found, key_of(signer)).status == "VERIFIED"
    for changed in (found.replace(" ", "", 1), found + " ", " " + found, found + "\n"):
        assert verdict(changed, key_of(signer)).status != "VERIFIED"


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("", "NOT_SUPPORTED"),
        ("HC2:ABC", "NOT_SUPPORTED"),
        ("hc1:ABC", "NOT_SUPPORTED"),
        ("shlink:/eyJ", "NOT_SUPPORTED"),
        ("HC1:", "INVALID_COMPRESSION"),
        ("HC1:abc", "INVALID_ENCODING"),
        ("HC1:A", "INVALID_ENCODING"),
        ("HC1::::", "INVALID_ENCODING"),
        ("HC1:Ａ", "INVALID_ENCODING"),
        ("HC1:" + base45.encode(b"not zlib"), "INVALID_COMPRESSION"),
        ("HC1:" + base45.encode(zlib.compress(b"\xd2")), "INVALID_SIGNING_FORMAT"),
        ("HC1:" + base45.encode(zlib.compress(bytes(10**6))), "INVALID_COMPRESSION"),
        ("HC1:" + base45.encode(zlib.compress(b"x" * 100)[:-4]), "INVALID_COMPRESSION"),
        ("HC1:" + base45.encode(zlib.compress(b"x") + b"more"), "INVALID_COMPRESSION"),
        ("HC1:" + "A" * 20_000, "NOT_SUPPORTED"),
    ],
)
def test_what_cannot_be_opened_says_at_which_layer(text: str, status: Status) -> None:
    assert verdict(text).status == status


@pytest.mark.parametrize(
    "claims",
    [
        b"\xff",
        [1, 2],
        {},
        {1: "XCL", -260: {-6: {}}},
        CLAIMS | {-260: {1: [CONTENT]}},
        CLAIMS | {-260: CONTENT},
        CLAIMS | {1: 84},
        CLAIMS | {4: "tomorrow"},
        CLAIMS | {4: float("nan")},
        CLAIMS | {6: float("inf")},
        CLAIMS | {6: 2**300},
        CLAIMS | {6: -(2**300)},
        CLAIMS | {6: None},
        CLAIMS | {4: True},
    ],
)
def test_claims_that_say_nothing_are_refused_even_well_signed(claims: Any) -> None:
    signer = es256()
    assert verdict(hc1(signer, claims), key_of(signer)).status in ("NOT_SUPPORTED", "INVALID_SIGNING_FORMAT")


def test_a_certificate_without_an_end_says_so() -> None:
    signer = es256()
    endless = {name: value for name, value in CLAIMS.items() if name != 4}
    found = verdict(hc1(signer, endless), key_of(signer))
    assert (found.status, notes(found, "claims"), found.expires_at) == ("VERIFIED", ("exp-missing",), None)


def test_a_time_in_milliseconds_is_flagged() -> None:
    signer = es256()
    late = verdict(hc1(signer, CLAIMS | {4: EXPIRES * 1000}), key_of(signer))
    assert (late.status, notes(late, "validity")) == ("VERIFIED", ("exp-milliseconds",))
    early = verdict(hc1(signer, CLAIMS | {6: ISSUED * 1000}), key_of(signer))
    assert (early.status, notes(early, "validity")) == ("NOT_YET_VALID", ("milliseconds",))
