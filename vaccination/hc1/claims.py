"""What an HC1 certificate says of a dose: the `v` entry of ehn-dcc-schema 1.3.0, in a CWT (RFC 8392)."""

from datetime import date, datetime
from typing import Any, Final

import cbor2
from msgspec import Struct

# The schema of most certificates in the field, Viet Nam's among them (vaccination.md §4).
SCHEMA_VERSION: Final = "1.3.0"
COUNTRY: Final = "VN"
# What a demo signs is of no country: ISO 3166-1 leaves XA to XZ to whoever uses them (security.md S4).
DEMO_COUNTRY: Final = "XX"
# SNOMED CT 840539006, COVID-19: the one disease of the schema's value set.
COVID_19: Final = "840539006"

ISSUER: Final = 1
EXPIRES: Final = 4
ISSUED: Final = 6
HCERT: Final = -260
EU_DCC: Final = 1


class Name(Struct, frozen=True, kw_only=True):
    """fn, gn: family and other names as written; fnt, gnt: in letters of a passport (ICAO 9303-3)."""

    fn: str
    fnt: str
    gn: str
    gnt: str


class Vaccination(Struct, frozen=True, kw_only=True):
    """One dose. tg, vp, mp, ma: disease, vaccine, product, maker as the value sets code them; dn of sd
    doses (3 of 3 for a booster after two, never 3 of 2); dt: the day; co: country; is_: who certifies;
    ci: the UVCI."""

    tg: str = COVID_19
    vp: str
    mp: str
    ma: str
    dn: int
    sd: int
    dt: date
    co: str
    is_: str
    ci: str


def dcc_map(name: Name, birth_date: str, vaccination: Vaccination) -> dict[str, Any]:
    """The certificate's content. birth_date: `YYYY-MM-DD`, `YYYY-MM`, `YYYY` or empty."""
    one = vaccination
    names = {"fn": name.fn, "fnt": name.fnt, "gn": name.gn, "gnt": name.gnt}
    entry = {
        "tg": one.tg,
        "vp": one.vp,
        "mp": one.mp,
        "ma": one.ma,
        "dn": one.dn,
        "sd": one.sd,
        "dt": one.dt.isoformat(),
        "co": one.co,
        "is": one.is_,
        "ci": one.ci,
    }
    return {
        "v": [entry],
        "dob": birth_date,
        "nam": {key: value for key, value in names.items() if value},
        "ver": SCHEMA_VERSION,
    }


def cwt(dcc: dict[str, Any], country: str, issued_at: datetime, expires_at: datetime) -> bytes:
    """The claims as they are signed. country: of the signer's certificate."""
    times = {EXPIRES: int(expires_at.timestamp()), ISSUED: int(issued_at.timestamp())}
    return cbor2.dumps({ISSUER: country, **times, HCERT: {EU_DCC: dcc}})
