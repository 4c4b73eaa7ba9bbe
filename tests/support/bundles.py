"""Sample files rewritten to a test person, so that they import into that person's book."""

import gzip
import json
import re
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any, Protocol

from tests.support.shared import shared

VN_SID = "http://fhir.ehealth.gov.vn/core/sid/"


class Person(Protocol):
    """Whoever has these: tests/support/people.py's Citizen."""

    number: str
    name: str
    birth_date: str
    sex: Any


def sample_bundles() -> list[Path]:
    """All sample Bundles."""
    return sorted(shared("data/fhir/bundles").glob("*.json.gz"))


def sample_package(name: str) -> Path:
    return shared("data/vietnam") / name


def rewrite_bundle(path: Path, citizen: Person) -> bytes:
    """The Bundle with identifier, name, birth date and sex of its Patient made the citizen's.

    The person is alive, and nothing else changes.
    """
    raw = path.read_bytes()
    bundle = json.loads(gzip.decompress(raw) if path.suffix == ".gz" else raw)
    patient = next(
        e["resource"] for e in bundle["entry"] if e.get("resource", {}).get("resourceType") == "Patient"
    )
    patient["identifier"] = [{"system": VN_SID + "national_id", "value": citizen.number}]
    patient["name"] = [{"text": citizen.name}]
    patient["birthDate"] = citizen.birth_date
    patient["gender"] = citizen.sex
    patient.pop("deceasedBoolean", None)
    patient.pop("deceasedDateTime", None)
    return json.dumps(bundle, ensure_ascii=False).encode()


def rewrite_package(path: Path, citizen: Person, **fields: str) -> bytes:
    """A treatment package whose person is the citizen; `fields` set further elements everywhere."""
    birth = citizen.birth_date.replace("-", "").ljust(8, "0") + "0000"
    values = {
        "SO_CCCD": citizen.number,
        "HO_TEN": citizen.name,
        "NGAY_SINH": birth,
        "GIOI_TINH": {"male": "1", "female": "2"}.get(str(citizen.sex), "3"),
        "MA_THE_BHYT": "",
        "DIEN_THOAI": "",
        "MA_BN": f"BN{citizen.number}",
        "MA_LK": f"LK.{citizen.number}",
        **fields,
    }

    def rewrite(text: str) -> str:
        for name, value in values.items():
            text = re.sub(f"(<{name}>).*?(</{name}>)", rf"\g<1>{value}\g<2>", text, flags=re.DOTALL)
        return text

    def inner(match: re.Match[str]) -> str:
        content = match.group(2)
        if content.lstrip().startswith("<"):
            return match.group(0)
        text = rewrite(b64decode("".join(content.split())).decode())
        return match.group(1) + b64encode(text.encode()).decode() + match.group(3)

    text = rewrite(path.read_text("utf-8"))
    return re.sub(r"(<NOIDUNGFILE>)(.*?)(</NOIDUNGFILE>)", inner, text, flags=re.DOTALL).encode()
