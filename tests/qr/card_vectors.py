"""The published vectors of what scanners hand over; `python -m tests.qr.card_vectors` writes them again.

Every expectation is written by hand. People and numbers are invented, as those of the samples are.
"""

import base64
import unicodedata
from typing import Any

from qr.tokens import to_fragment
from tests.qr.vectors import signed
from tests.support import vectors

FILE = vectors.PLACE / "card-texts.json"

CCCD = "079204000456||Lê Văn Mẫu|01012004|Nam|Ấp Ví Dụ, Phước Thạnh|22122021"
MAU = {
    "national_id": "079204000456",
    "name": "Lê Văn Mẫu",
    "birth_date": "2004-01-01",
    "sex": "male",
    "address": "Ấp Ví Dụ, Phước Thạnh",
    "issued_on": "2021-12-22",
}
NAME_HEX = "Nguyễn Thị Thử Nghiệm".encode().hex()
ADDRESS_HEX = "Phường Ví Dụ, Quận Cầu Giấy".encode().hex()
BHYT = f"0100000123|{NAME_HEX}|15/02/1970|2|-|01 - 028|01/01/2026|-|20/12/2025|x|-|4| 01/10/2027|y-1|4|5a|$"
OLD_BHYT = f"GD4010100000123|{NAME_HEX}|15/02/1970|2|{ADDRESS_HEX}|01 - 028|24/01/2019|-|24/01/2019|$"
THU = {
    "insurance_number": "0100000123",
    "name": "Nguyễn Thị Thử Nghiệm",
    "birth_date": "1970-02-15",
    "sex": "female",
    "facility_code": "01028",
    "valid_from": "2026-01-01",
    "issued_on": "2025-12-20",
}
OLD_THU = THU | {
    "insurance_card": "GD4010100000123",
    "address": "Phường Ví Dụ, Quận Cầu Giấy",
    "valid_from": "2019-01-24",
    "issued_on": "2019-01-24",
}
LABELLED = (
    "CCCD:079204000456|CMND:012000123|Họ tên:Lê Văn Mẫu|Ngày sinh:01/01/2004|Giới tính:Nam"
    "|Địa chỉ:Ấp Ví Dụ, Phước Thạnh|Ngày cấp:22/12/2021"
)
JSON = (
    '{"cccd": "079204000456", "cmnd": "", "hoTen": "Lê Văn Mẫu", "ngaySinh": "01/01/2004", "gioiTinh": "Nam",'
    ' "diaChi": "Ấp Ví Dụ, Phước Thạnh", "ngayCap": "22/12/2021"}'
)


def case(name: str, text: str, what: str, /, **expect: Any) -> dict[str, Any]:
    said = expect if "problem_code" in expect else {"ok": {"what": what} | expect}
    return vectors.case(name, {"text": text}, said)


def cccd(name: str, text: str, /, **changes: Any) -> dict[str, Any]:
    """A card of Lê Văn Mẫu but for these fields; None leaves one out."""
    return case(name, text, "cccd", card=without_none(MAU | changes))


def bhyt(name: str, text: str, /, **changes: Any) -> dict[str, Any]:
    return case(name, text, "bhyt", card=without_none(THU | changes))


def refused(name: str, text: str, code: str, where: str) -> dict[str, Any]:
    return case(name, text, "unknown", problem_code=code, where=where)


def without_none(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def with_field(text: str, at: int, value: str) -> str:
    fields = text.split("|")
    fields[at] = value
    return "|".join(fields)


def identity_cards() -> list[dict[str, Any]]:
    born = [
        ("a year alone", "2004", "2004"),
        ("a year with zeros", "00002004", "2004"),
        ("a month without a day", "00/03/2004", "2004-03"),
        ("a day between strokes", "01/01/2004", "2004-01-01"),
        ("a leap day", "29022004", "2004-02-29"),
    ]
    return [
        cccd("identity card: seven fields", CCCD),
        cccd("identity card: an old number", with_field(CCCD, 1, "012000123"), old_id="012000123"),
        cccd("identity card: an earlier number of twelve", with_field(CCCD, 1, "0" * 12), old_id="0" * 12),
        cccd("identity card: six fields, none for the old number", CCCD.replace("||", "|")),
        cccd("identity card: no day of issue", CCCD.rpartition("|")[0], issued_on=None),
        cccd(
            "identity card: relatives behind, counted and dropped",
            f"{CCCD}||Phạm Văn Cha|Nguyễn Thị Mẹ|",
            extras=4,
        ),
        cccd("identity card: with labels", LABELLED, old_id="012000123"),
        cccd("identity card: as JSON", JSON),
        cccd(
            "identity card: with labels, a line each, and a sign of addresses in one",
            LABELLED.replace("Ấp", "#7 Ấp").replace("|", "\r\n"),
            old_id="012000123",
            address="#7 Ấp Ví Dụ, Phước Thạnh",
        ),
        cccd("identity card: a number in groups", CCCD.replace("079204000456", "079 204 000 456")),
        *(
            cccd(f"identity card: born on {name}", with_field(CCCD, 3, text), birth_date=date)
            for name, text, date in born
        ),
        cccd("identity card: issued on no day that is said", with_field(CCCD, 6, "-"), issued_on=None),
        cccd(
            "identity card: the name is missing",
            with_field(CCCD, 2, ""),
            name=None,
            review=["name-unreadable"],
        ),
        cccd(
            "identity card: letters of the name lost on the way",
            with_field(CCCD, 2, "L? V?n M?u"),
            name=None,
            review=["name-unreadable"],
        ),
        cccd(
            "identity card: no sex that is known", with_field(CCCD, 4, "X"), sex=None, review=["sex-unknown"]
        ),
        cccd(
            "identity card: an old number of another length",
            with_field(CCCD, 1, "0123"),
            review=["old-number-unreadable"],
        ),
        cccd(
            "identity card: born in another year than the number says",
            with_field(CCCD, 3, "01012005"),
            birth_date="2005-01-01",
            review=["number-and-birth-differ"],
        ),
        cccd(
            "identity card: born in another century than the number says",
            with_field(CCCD, 3, "01011904"),
            birth_date="1904-01-01",
            review=["number-and-birth-differ"],
        ),
        cccd(
            "identity card: of another sex than the number says",
            with_field(CCCD, 4, "Nữ"),
            sex="female",
            review=["number-and-sex-differ"],
        ),
        cccd(
            "identity card: issued before the birth",
            with_field(CCCD, 6, "31122003"),
            issued_on="2003-12-31",
            review=["issued-before-birth"],
        ),
    ]


def insurance_cards() -> list[dict[str, Any]]:
    broken = {"name": None, "review": ["name-unreadable"]}
    return [
        bhyt("insurance card: ten digits, seventeen fields", BHYT),
        case("insurance card: fifteen signs, ten fields", OLD_BHYT, "bhyt", card=OLD_THU),
        case(
            "insurance card: a child's",
            with_field(OLD_BHYT, 0, "TE1010100000123"),
            "bhyt",
            card=OLD_THU | {"insurance_card": "TE1010100000123"},
        ),
        case("insurance card: small letters", OLD_BHYT.replace("GD4", "gd4"), "bhyt", card=OLD_THU),
        bhyt("insurance card: hexadecimal in capitals", with_field(BHYT, 1, NAME_HEX.upper())),
        bhyt("insurance card: half a byte in the name", with_field(BHYT, 1, NAME_HEX[:-1]), **broken),
        bhyt("insurance card: half a letter in the name", with_field(BHYT, 1, NAME_HEX[:12]), **broken),
        bhyt("insurance card: a name in no hexadecimal", with_field(BHYT, 1, "Nguyễn"), **broken),
        bhyt("insurance card: no name", with_field(BHYT, 1, "-"), **broken),
        bhyt("insurance card: born in a year", with_field(BHYT, 2, "1970"), birth_date="1970"),
        bhyt(
            "insurance card: a facility with letters", with_field(BHYT, 5, "01 - a9z"), facility_code="01A9Z"
        ),
        bhyt("insurance card: no facility", with_field(BHYT, 5, "-"), facility_code=None),
        bhyt(
            "insurance card: a facility that is none",
            with_field(BHYT, 5, "01 - 0281"),
            facility_code=None,
            review=["facility-unreadable"],
        ),
        bhyt(
            "insurance card: no sex that is known", with_field(BHYT, 3, "3"), sex=None, review=["sex-unknown"]
        ),
        bhyt("insurance card: valid until a day", with_field(BHYT, 7, "31/12/2026"), valid_to="2026-12-31"),
        bhyt(
            "insurance card: ends before it begins",
            with_field(BHYT, 7, "31/12/2025"),
            valid_to="2025-12-31",
            review=["validity-reversed"],
        ),
        bhyt("insurance card: the end is missing", BHYT.removesuffix("|$"), review=["cut-off"]),
        bhyt("insurance card: the end without a bar", BHYT.removesuffix("|$") + "$"),
        bhyt("insurance card: two fields more", BHYT.removesuffix("$") + "a|b|$", extras=2),
    ]


def scanners() -> list[dict[str, Any]]:
    mojibake = CCCD.encode()
    signed_text = signed("citizen")
    return [
        cccd("scanner: the symbology before it, a line end and a tab behind", f"]Q1{CCCD}\r\n\t"),
        cccd("scanner: a byte order mark", "\ufeff" + CCCD),
        cccd("scanner: a label before it", "QR" + CCCD),
        cccd("scanner: blanks and zero-width signs around", f" \u200b{CCCD} "),
        cccd("scanner: marks apart from their letters", unicodedata.normalize("NFD", CCCD)),
        cccd("scanner: UTF-8 read as Latin-1", mojibake.decode("latin-1")),
        cccd("scanner: UTF-8 read as Windows-1252", browser_1252(mojibake)),
        cccd("scanner: a byte order mark read as Latin-1", "ï»¿" + mojibake.decode("latin-1")),
        cccd("scanner: the bar typed on a British keyboard", CCCD.replace("|", "~")),
        cccd("scanner: a wide bar", CCCD.replace("|", "｜")),
        bhyt("scanner: a line end behind the end", BHYT + "\r\n"),
        case(
            "scanner: a code of ours, with all of it",
            f"]Q1{signed_text}\r\n",
            "code",
            kind="citizen",
            text=signed_text,
        ),
        case(
            "scanner: a code of ours, capitals locked",
            signed_text.lower(),
            "code",
            kind="citizen",
            text=signed_text,
        ),
        refused("scanner: a code of ours through an input method", "SSK1:ÂBĐ", "scanner-keyboard", "scan"),
        refused("scanner: a code of ours on a German keyboard", "SSK1ÖABC", "scanner-keyboard", "scan"),
        refused("scanner: digits on a French keyboard", "àèçéà'ààà'(-||", "scanner-keyboard", "scan"),
    ]


def browser_1252(data: bytes) -> str:
    """As a browser reads it: the five bytes that Windows-1252 leaves open are controls."""
    return "".join(
        bytes((code,)).decode("cp1252") if code not in (0x81, 0x8D, 0x8F, 0x90, 0x9D) else chr(code)
        for code in data
    )


def others() -> list[dict[str, Any]]:
    fragment = to_fragment(signed("letter"))
    return [
        *(
            case(f"code of ours: {kind}", signed(kind), "code", kind=kind, text=signed(kind))
            for kind in KINDS
        ),
        case(
            "code of ours: a letter's address",
            f"https://so.example/kiem-tra-giay-to#{fragment}",
            "code",
            kind="letter",
            text=fragment,
        ),
        case("prescription", "01028ab12cd3-C\r\n", "erx", text="01028ab12cd3-C"),
        case(
            "a personal number alone",
            "079204000456",
            "number",
            card={"national_id": "079204000456", "review": ["number-alone"]},
        ),
        case(
            "a personal number alone, in groups",
            "079 204 000 456",
            "number",
            card={"national_id": "079204000456", "review": ["number-alone"]},
        ),
        case(
            "an insurance card's number alone",
            "GD4010100000123\r",
            "number",
            card={
                "insurance_card": "GD4010100000123",
                "insurance_number": "0100000123",
                "review": ["number-alone"],
            },
        ),
    ]


KINDS = ("citizen", "doctor-request", "counter", "poster", "ticket")


def refusals() -> list[dict[str, Any]]:
    five = CCCD.split("|")
    elsewhere = base64.urlsafe_b64encode(b"somewhere").decode()
    return [
        refused("empty", "", "qr-unreadable", "scan"),
        refused("blanks and line ends", " \r\n\t\ufeff", "qr-unreadable", "scan"),
        refused("longer than any code", "1" * 4_001, "qr-unreadable", "scan"),
        refused("a word", "xin chào", "scan-unknown", "scan"),
        refused("ten digits, which may be a phone", "0903123456", "scan-unknown", "scan"),
        refused("an address", "https://example.vn/", "scan-unknown", "scan"),
        refused("an address with a fragment", f"https://example.vn/#{elsewhere}", "scan-unknown", "scan"),
        refused("a certificate", "HC1:6BFOXN", "qr-wrong-kind", "scan"),
        refused("a health card", "shc:/5676", "qr-wrong-kind", "scan"),
        refused("a shared link", "shlink:/eyJ1cmwi", "qr-wrong-kind", "scan"),
        refused("code of ours: cut", signed("citizen")[:40], "qr-unreadable", "qr"),
        refused("code of ours: a newer version", "SSK2:ABC", "qr-version-unknown", "qr"),
        refused("identity card: five fields", "|".join(five[:5]), "card-incomplete", "card"),
        refused("identity card: eleven digits", CCCD[1:], "card-number-invalid", "number"),
        refused("identity card: a letter in the number", "O" + CCCD[1:], "card-number-invalid", "number"),
        refused("identity card: wide digits", "０" + CCCD[1:], "card-number-invalid", "number"),
        refused(
            "identity card: a birth that no day has",
            with_field(CCCD, 3, "30022004"),
            "card-date-impossible",
            "birth_date",
        ),
        refused(
            "identity card: a leap day of no leap year",
            with_field(CCCD, 3, "29022005"),
            "card-date-impossible",
            "birth_date",
        ),
        refused(
            "identity card: a day without a month",
            with_field(CCCD, 3, "01002004"),
            "card-date-impossible",
            "birth_date",
        ),
        refused(
            "identity card: a year that nobody was born in",
            with_field(CCCD, 3, "01010001"),
            "card-date-impossible",
            "birth_date",
        ),
        refused("identity card: no birth", with_field(CCCD, 3, ""), "card-date-impossible", "birth_date"),
        refused(
            "identity card: issued on no day",
            with_field(CCCD, 6, "31042021"),
            "card-date-impossible",
            "issued_on",
        ),
        refused(
            "identity card: as JSON, a number without its zeros",
            JSON.replace('"079', '"79'),
            "card-number-invalid",
            "number",
        ),
        refused(
            "insurance card: eight fields", "|".join(BHYT.split("|")[:8]) + "|$", "card-incomplete", "card"
        ),
        refused(
            "insurance card: a number of fourteen",
            BHYT.replace("0100000123|", "GD401010000012|", 1),
            "card-number-invalid",
            "number",
        ),
        refused(
            "insurance card: a birth that no day has",
            with_field(BHYT, 2, "31/04/1970"),
            "card-date-impossible",
            "birth_date",
        ),
        refused(
            "insurance card: valid from no day",
            with_field(BHYT, 6, "00/01/2026"),
            "card-date-impossible",
            "valid_from",
        ),
        refused(
            "insurance card: valid until no day",
            with_field(BHYT, 7, "31/02/2026"),
            "card-date-impossible",
            "valid_to",
        ),
        refused(
            "insurance card: issued on no day",
            with_field(BHYT, 8, "99/99/9999"),
            "card-date-impossible",
            "issued_on",
        ),
    ]


def document() -> bytes:
    about = (
        "What a scanner hands over and what it is: a code of ours (its kind, and the text to send, "
        "unchecked), an identity card (cccd), an insurance card (bhyt), a national prescription (erx), a "
        "bare number, or unknown with a problem code. A card pre-fills and proves nothing; fields that "
        "are not named are absent; extras counts what stood behind the fields and was dropped. Keep "
        "neither text nor picture."
    )
    cases = [*identity_cards(), *insurance_cards(), *scanners(), *others(), *refusals()]
    return vectors.document(about, cases)


if __name__ == "__main__":
    FILE.write_bytes(document())
