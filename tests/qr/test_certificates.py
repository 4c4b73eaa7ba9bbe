"""Codes of certificates: read back by zxing-cpp's reader, at level Q, in both forms."""

import pytest

from qr import certificates
from tests.qr.test_draw import decoded, pixels_of_png, pixels_of_svg

TEXTS = [
    "HC1:6BFOXN",
    "HC1:" + "NCFOXN%TS3DH3ZSUZK+.V0ETD%65NL-AH-R6IOOA" * 13,
    "HC1:" + "6BFOXN*TS0BI$ZD" * 55,
]


@pytest.mark.parametrize("text", TEXTS, ids=("short", "es256", "ps256"))
def test_a_certificates_code_decodes_to_its_text_at_level_q(text: str) -> None:
    assert decoded(pixels_of_png(certificates.png(text))) == (text, "Q")
    assert decoded(pixels_of_svg(certificates.svg(text))) == (text, "Q")


def test_the_code_has_the_quiet_zone_and_the_dense_mode() -> None:
    rows = certificates.matrix(TEXTS[1])
    # 524 characters: version 17 in alphanumeric mode at level Q (ISO/IEC 18004, table 7).
    assert len(rows) == 17 + 4 * 17 + 8
    assert not any(any(rows[y]) or any(row[y] for row in rows) for y in (*range(4), *range(-4, 0)))


def test_a_text_that_no_code_holds_is_refused() -> None:
    with pytest.raises(ValueError, match="too long"):
        certificates.png("HC1:" + "A" * 3_000)
