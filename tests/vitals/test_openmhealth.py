"""Every test document of Open mHealth: what may pass is stored, what must fail is refused with a code."""

import json
from collections import Counter
from typing import Any

import msgspec
import pytest

from store.database import Store
from tests.support.batches import batch, sender
from tests.support.clock import START, FrozenClock
from tests.support.shared import SHARED, shared
from vitals.accepting import accept
from vitals.decoding import Decoded
from vitals.imports.found import Found
from vitals.imports.openmhealth import read
from vitals.imports.openmhealth_models import SchemaId
from vitals.kinds import BY_NUMBER
from vitals.models import Accepted

ROOT = SHARED / "data" / "vitals" / "openmhealth"
DOCUMENTS = sorted(str(path.relative_to(ROOT)) for path in ROOT.rglob("*.json"))
# Valid documents of schemas that no kind of ours measures: workouts, food, a fitness brand's points, single
# intervals between beats, sums of sleep without its times, and envelopes.
NO_KIND = {
    "granola/hk-correlation": 2,
    "granola/hk-metadata": 3,
    "granola/hk-quantity-sample": 1,
    "granola/hk-workout": 4,
    "omh/data-point": 2,
    "omh/header": 3,
    "omh/rr-interval": 3,
    "omh/total-sleep-time": 2,
}
# Valid documents that are no measurement: an extreme or an average of weeks or months, steps without the time
# in which they were walked, and pressure of "the evening".
NO_MEASUREMENT = {
    "omh/blood-glucose/1.0/shouldPass/with-everything.json": "interval-invalid",
    "omh/blood-glucose/1.0/shouldPass/with-time-interval-time-frame.json": "interval-invalid",
    "omh/blood-glucose/2.0/shouldPass/with-everything.json": "interval-invalid",
    "omh/blood-glucose/3.0/shouldPass/with-everything.json": "interval-invalid",
    "omh/blood-glucose/4.0/shouldPass/with-everything.json": "interval-invalid",
    "omh/blood-pressure/1.0/shouldPass/with-descriptive-statistic.json": "interval-invalid",
    "omh/blood-pressure/1.0/shouldPass/with-time-frame.json": "tz-missing",
    "omh/blood-pressure/2.0/shouldPass/with-descriptive-statistic.json": "interval-invalid",
    "omh/blood-pressure/3.0/shouldPass/with-descriptive-statistic.json": "interval-invalid",
    "omh/blood-pressure/4.0/shouldPass/with-descriptive-statistic.json": "interval-invalid",
    "omh/body-weight/1.0/shouldPass/time-interval-time-frame.json": "interval-invalid",
    "omh/step-count/1.0/shouldPass/step-count-only.json": "interval-invalid",
    "omh/step-count/2.0/shouldPass/with-maximum.json": "interval-invalid",
    "omh/step-count/3.0/shouldPass/with-average.json": "interval-invalid",
    "omh/step-count/3.0/shouldPass/with-maximum.json": "interval-invalid",
    "omh/step-count/3.0/shouldPass/with-session.json": "interval-invalid",
}


def found_in(document: str) -> Found:
    namespace, name, version, _, _ = document.split("/")
    return read(
        shared(f"data/vitals/openmhealth/{document}").read_bytes(), SchemaId(namespace, name, version), START
    )


def through_the_gate(found: Found) -> Accepted:
    decoded = Decoded(
        sha256=b"",
        device="file",
        seq=1,
        sent_at=START,
        sources=found.sources,
        samples=found.samples,
        series=[],
        deleted=[],
        windows=[],
        streams={},
        rejected=found.rejected,
    )
    return accept(decoded, None, START, START)


def taken(document: str) -> tuple[int, list[str]]:
    """How many values are stored of a document, and the codes of what is not."""
    accepted = through_the_gate(found_in(document))
    return len(accepted.samples), [one.code for one in accepted.rejected]


@pytest.mark.parametrize("document", DOCUMENTS or [""])
def test_what_should_pass_is_stored_and_what_should_fail_has_a_code(document: str) -> None:
    stored, codes = taken(document or "omh")
    if "/shouldFail/" in document:
        assert (stored, len(codes)) == (0, 1)
    elif document in NO_MEASUREMENT:
        assert (stored, codes) == (0, [NO_MEASUREMENT[document]])
    elif stored == 0:
        assert "/".join(document.split("/")[:2]) in NO_KIND
        assert set(codes) == {"kind-unknown"}
    else:
        food = document.endswith("hk-correlation/1.0/shouldPass/with-both-samples.json")
        assert (stored, codes) == (1, ["kind-unknown"] if food else [])


def test_what_is_not_stored_of_what_should_pass_is_known_by_name() -> None:
    shared("data/vitals/openmhealth")
    passing = [document for document in DOCUMENTS if "/shouldPass/" in document]
    assert (len(DOCUMENTS), len(passing)) == (136, 81)
    left = [one for one in passing if taken(one)[0] == 0 and one not in NO_MEASUREMENT]
    assert Counter("/".join(one.split("/")[:2]) for one in left) == NO_KIND
    assert len(passing) - len(left) - len(NO_MEASUREMENT) == 45


@pytest.mark.parametrize(
    ("document", "kind", "value", "zone"),
    [
        ("omh/blood-glucose/4.0/shouldPass/with-temporal-relationship-to-meal.json", "glucose", 527, 420),
        ("omh/blood-pressure/4.0/shouldPass/blood-pressure-only.json", "blood-pressure", 1150, -480),
        ("omh/body-temperature/4.0/shouldPass/valid-temperature.json", "temperature", 3611, 60),
        ("omh/body-weight/1.0/shouldPass/date-time-time-frame.json", "weight", 50_000, 420),
        ("omh/heart-rate/2.0/shouldPass/with-temporal-relationship-to-sleep.json", "heart-rate", 675, -480),
        ("omh/oxygen-saturation/2.0/shouldPass/saturation-with-statistics.json", "spo2", 930, 60),
        ("omh/respiratory-rate/2.0/shouldPass/respiratory-rate-only.json", "resp-rate", 120, -480),
        ("omh/sleep-episode/1.1/shouldPass/valid-sleep-episode.json", "sleep-in-bed", 5400, 420),
        ("omh/step-count/2.0/shouldPass/valid-step-count.json", "steps", 6000, 420),
        ("granola/hk-category-sample/1.0/shouldPass/with-metadata.json", "sleep-in-bed", 600, 420),
    ],
)
def test_a_value_means_the_same_here(document: str, kind: str, value: int, zone: int) -> None:
    (row,) = through_the_gate(found_in(document)).samples
    assert (BY_NUMBER[row.kind].name, row.v, row.z) == (kind, value, zone)


POINT: dict[str, Any] = {
    "header": {
        "id": "123e4567-e89b-12d3-a456-426655440000",
        "creation_date_time": "2026-11-20T07:25:00Z",
        "schema_id": {"namespace": "omh", "name": "blood-glucose", "version": "1.0"},
        "acquisition_provenance": {"source_name": "My Meter", "modality": "self-reported"},
    },
    "body": {"blood_glucose": {"value": 95, "unit": "mg/dL"}},
}


def test_a_data_point_names_its_schema_its_id_its_source_and_its_time() -> None:
    found = read(json.dumps(POINT).encode())
    (sample,) = found.samples
    assert (str(sample.id), sample.k, sample.t.isoformat()) == (
        POINT["header"]["id"],
        "glucose",
        "2026-11-20T07:25:00+00:00",
    )
    (source,) = found.sources
    assert (source.app, source.kind, source.method) == ("My Meter", "manual", "manual")


@pytest.mark.parametrize("document", [b"{}", b"", b"[]", b"null", b"{", b'"x"', b"\xff", b"[" * 5000])
@pytest.mark.parametrize("name", ["data-point", "blood-pressure", "step-count", "hk-correlation", "made-up"])
def test_an_empty_document_fails_everywhere(document: bytes, name: str) -> None:
    namespace = "granola" if name.startswith("hk") else "omh"
    found = read(document, SchemaId(namespace, name, "9.0"), START)
    assert (found.samples, len(found.rejected)) == ([], 1)


async def test_the_values_lie_in_the_book_once(store: Store, clock: FrozenClock) -> None:
    """All that passes, sent as one batch; documents that say the same are one reading."""
    shared("data/vitals/openmhealth")
    passing = [found_in(one) for one in DOCUMENTS if taken(one)[0]]
    samples = [msgspec.to_builtins(sample) | {"s": 0} for found in passing for sample in found.samples]
    different = {one["id"] for one in samples}
    async with sender(store, clock) as phone:
        sent = await phone.send(batch(*samples))
    assert sent.status_code == 200, sent.text
    assert (sent.json()["stored"], sent.json()["rejected"]) == (len(different), [])
