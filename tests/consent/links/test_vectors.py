"""mobile-contract/vectors/sharing.json is what the code makes."""

from tests.consent.links.vectors import FILE, document


def test_the_published_vectors_are_what_the_code_makes() -> None:
    assert FILE.read_bytes() == document()
