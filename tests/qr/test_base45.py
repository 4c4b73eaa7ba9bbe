"""Base45 by its table, against the arithmetic of RFC 9285 §4 digit by digit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qr import base45


def slowly(data: bytes) -> str:
    letters: list[str] = []
    for at in range(0, len(data), 2):
        pair = data[at : at + 2]
        number = int.from_bytes(pair, "big")
        for _ in range(len(pair) + 1):
            number, rest = divmod(number, 45)
            letters.append(base45.ALPHABET[rest])
    return "".join(letters)


def test_every_pair_and_every_byte_is_that_of_the_arithmetic() -> None:
    every = b"".join(number.to_bytes(2, "big") for number in range(65536))
    assert base45.encode(every) == slowly(every)
    assert base45.decode(slowly(every)) == every
    for byte in range(256):
        assert base45.encode(bytes((byte,))) == slowly(bytes((byte,)))
        assert base45.decode(slowly(bytes((byte,)))) == bytes((byte,))


@given(st.binary(max_size=200))
def test_any_bytes_are_those_of_the_arithmetic(data: bytes) -> None:
    assert base45.encode(data) == slowly(data)
    assert base45.decode(base45.encode(data)) == data


@given(st.text(base45.ALPHABET, max_size=40))
def test_any_letters_are_read_one_way_or_refused(text: str) -> None:
    try:
        data = base45.decode(text)
    except ValueError:
        return
    assert base45.encode(data) == text


@pytest.mark.parametrize("text", ["A", "GGX", ":::", "::", "U6", "abc", "A\n", "Å00", "00\u0130", "0000"])
def test_what_nobody_encoded_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"letter|length|large|ascii"):
        base45.decode(text)
