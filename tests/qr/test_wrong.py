"""Something else than a check-in code is named, with what to do with it."""

import pytest

from kernel.problems import Refused
from qr.problems import QR_EXPIRED, QR_KIND, QR_UNREADABLE
from qr.tokens import KINDS
from qr.wrong import WRONG_SCANS, named
from tests.qr import card_vectors, vectors


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (card_vectors.CCCD, "scan-is-card"),
        (card_vectors.BHYT, "scan-is-card"),
        (card_vectors.with_field(card_vectors.CCCD, 3, "31022004"), "scan-is-card"),
        ("079204000456", "scan-is-card"),
        (vectors.signed("citizen"), "scan-is-person"),
        (vectors.signed("counter"), "scan-is-counter"),
        (vectors.signed("poster"), "scan-is-counter"),
        (vectors.signed("ticket"), "scan-is-ticket"),
        (vectors.signed("letter"), "scan-is-paper"),
        (vectors.signed("doctor-request"), "scan-is-request"),
        ("01028ABC1234-H", "scan-is-prescription"),
        ("https://example.vn/quan-ca-phe", "scan-not-ours"),
        ("HC1:6BFOXN", "scan-not-ours"),
        (vectors.signed("citizen")[:40], "qr-unreadable"),
        (" \r\n", "qr-unreadable"),
    ],
)
def test_what_was_read_perfectly_is_not_called_unreadable(text: str, code: str) -> None:
    found = named(Refused(problem=QR_UNREADABLE, where="qr"), text)
    assert (found.problem.code, found.where) == (code, "qr")


def test_every_kind_of_ours_has_a_name_of_its_own_words() -> None:
    for kind in KINDS:
        found = named(Refused(problem=QR_KIND, where="qr"), vectors.signed(kind))
        assert found.problem in WRONG_SCANS


def test_any_other_answer_stays_as_it_is() -> None:
    expired = Refused(problem=QR_EXPIRED, where="qr")
    assert named(expired, card_vectors.CCCD) is expired
    assert named("done", card_vectors.CCCD) == "done"
