"""Which kind of text it is."""

from vaccination.hc1.cose import PREFIX
from vaccination.verify import cards, hc1
from vaccination.verify.reading import Reading, failed


def read(text: str) -> Reading:
    """The opened text. Never raises; a text is taken as it is, spaces and all."""
    if text.startswith(PREFIX):
        return hc1.read(text)
    if cards.is_card(text):
        return cards.read(text)
    return Reading(format=None, steps=(failed("prefix", "NOT_SUPPORTED"),))
