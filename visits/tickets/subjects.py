"""Whom a number is kept for: keyed hashes of facility, day and person or typed number (security.md S19).

Somebody known has one subject, however they came: the scan of their code, their own phone, a guardian's phone
and a clerk who types their number all give the same ticket.
"""

from datetime import datetime
from uuid import UUID

from kernel.clock import local_day
from store.fields import lookup_hashes
from store.keys import KeyRing


def person_subjects(keys: KeyRing, facility_id: UUID, patient_id: UUID, now: datetime) -> list[bytes]:
    """What a person's number is kept under; first what a new one gets, then the older key's."""
    return _hashes(keys, facility_id, f"person\0{patient_id}", now)


def number_subjects(
    keys: KeyRing, facility_id: UUID, number: str, patient_id: UUID | None, now: datetime
) -> list[bytes]:
    """The same for a normalised number that was typed or read from a card. patient_id: whose it is, if
    anybody's; a ticket taken before the number was known stands on."""
    of_number = _hashes(keys, facility_id, f"number\0{number}", now)
    of_number += card_subjects(keys, facility_id, number, now)
    return (
        of_number if patient_id is None else person_subjects(keys, facility_id, patient_id, now) + of_number
    )


def card_subjects(keys: KeyRing, facility_id: UUID, number: str, now: datetime) -> list[bytes]:
    """What a number is kept under that a card got by itself. Nothing of the person: whoever holds a picture
    of a card would else see by an older number that the person is here (security.md S19, S23). A clerk who
    types the number afterwards finds it."""
    return _hashes(keys, facility_id, f"card\0{number}", now)


def companion_subjects(
    keys: KeyRing, facility_id: UUID, patient_id: UUID, companion_id: UUID, now: datetime
) -> list[bytes]:
    """A number that somebody takes for a person beside the one that the person has."""
    return _hashes(keys, facility_id, f"companion\0{companion_id}\0{patient_id}", now)


def unnamed_subjects(
    keys: KeyRing, facility_id: UUID, account: UUID, client_id: UUID, now: datetime
) -> list[bytes]:
    """A number of nobody in particular: the same for a repeat of what this account asked for."""
    return _hashes(keys, facility_id, f"unnamed\0{account}\0{client_id}", now)


def _hashes(keys: KeyRing, facility_id: UUID, whom: str, now: datetime) -> list[bytes]:
    text = f"{facility_id}\0{local_day(now)}\0{whom}"
    return [hashed for _, hashed in lookup_hashes(keys, "queue", text)]
