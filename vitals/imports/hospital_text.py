"""Vital signs as hospitals write them in one word: `M75_T37_HA120/70_NT18_SP97`.

M pulse, T temperature, HA blood pressure, NT respiration, SP oxygen saturation; HL and whatever else stands
there has no published meaning. Somebody typed them, so their source is manual. Which part is implausible is
the gate's to say: values are handed on as they stand.
"""

import re
from datetime import datetime, timedelta
from typing import Final

from vitals.ids import content_id
from vitals.imports.found import Found
from vitals.wire import Rejected, Sample, Source

_SIGNS: Final = {
    "M": ("heart-rate", "/min"),
    "T": ("temperature", "Cel"),
    "NT": ("resp-rate", "/min"),
    "SP": ("spo2", "%"),
}
_SIGN: Final = re.compile(r"(M|T|NT|SP)\s?([0-9]{1,3}(?:[.,][0-9]{1,2})?)", re.IGNORECASE | re.ASCII)
_PRESSURE: Final = re.compile(r"HA\s?([0-9]{1,3})/([0-9]{1,3})", re.IGNORECASE | re.ASCII)
_MS: Final = timedelta(milliseconds=1)
_EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_SOURCE: Final = Source(app="hospital-text", kind="manual", method="manual")


def read(text: str, at: datetime, place: str) -> Found:
    """at: when it was measured, with its zone; place: who wrote it, so that the same word of the same place
    and time is the same reading. rejected: parts that are no sign (`i` counts them), `kind-unknown`."""
    found = Found(sources=[_SOURCE])
    for i, part in enumerate(text.strip().strip("<>").split("_")):
        read_part = _part(part.strip())
        if read_part is None:
            found.rejected.append(Rejected(of="samples", i=i, code="kind-unknown"))
            continue
        kind, value, value2, unit = read_part
        ident = content_id(place, kind, (at - _EPOCH) // _MS, value)
        found.samples.append(Sample(id=ident, k=kind, t=at, v=value, v2=value2, u=unit))
    return found


def _part(part: str) -> tuple[str, float, float | None, str] | None:
    if pressure := _PRESSURE.fullmatch(part):
        return "blood-pressure", float(pressure.group(1)), float(pressure.group(2)), "mm[Hg]"
    if sign := _SIGN.fullmatch(part):
        kind, unit = _SIGNS[sign.group(1).upper()]
        return kind, float(sign.group(2).replace(",", ".")), None, unit
    return None
