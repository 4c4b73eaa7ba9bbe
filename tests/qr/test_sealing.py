"""A sealed reference opens for its own use alone."""

import base64

from hypothesis import given
from hypothesis import strategies as st

from qr.sealing import open_reference, seal_reference, sealed_bytes
from store.keys import KeyRing


def test_what_is_sealed_opens_under_its_purpose_and_label_alone(keys: KeyRing) -> None:
    body = seal_reference(keys, "identification", b"one", b"content")
    assert open_reference(keys, "identification", b"one", body) == b"content"
    assert open_reference(keys, "identification", b"two", body) is None
    assert open_reference(keys, "paper-reference", b"one", body) is None
    assert open_reference(keys, "identification", b"one", body | {"k": "0009"}) is None


def test_two_codes_of_one_thing_have_nothing_in_common(keys: KeyRing) -> None:
    one, other = (seal_reference(keys, "identification", b"one", b"content") for _ in range(2))
    assert one["s"] != other["s"]
    assert sealed_bytes(one) != sealed_bytes(other)


def test_a_changed_byte_opens_nothing(keys: KeyRing) -> None:
    body = seal_reference(keys, "identification", b"one", b"content")
    raw = bytearray(sealed_bytes(body))
    for at in range(len(raw)):
        raw[at] ^= 1
        changed = body | {"s": base64.urlsafe_b64encode(bytes(raw)).decode()}
        assert open_reference(keys, "identification", b"one", changed) is None
        raw[at] ^= 1


def test_any_body_is_refused_and_never_crashes(keys: KeyRing) -> None:
    values = st.text() | st.integers() | st.none() | st.just("0001")

    @given(st.dictionaries(st.sampled_from(["k", "s"]), values))
    def refused(body: dict[str, object]) -> None:
        assert open_reference(keys, "identification", b"one", body) is None

    refused()
