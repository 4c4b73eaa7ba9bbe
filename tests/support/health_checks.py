"""Health checks for tests: a body, a class as a table, and what the record holds of them."""

import csv
import io
from typing import Any

import httpx

from tests.support.http import bearer
from tests.support.people import Citizen, Doctor

PLACE = "/v1/facility/health-checks"
SESSION = f"{PLACE}/session"
VALUES = {
    "MACH": "76",
    "NHIETDO": "36,5",
    "HUYETAPTT": "118",
    "HUYETAPTD": "76",
    "CHIEUCAO": "132.0",
    "CANNANG": "28.50",
    "SUDUNGKINH": "0",
    "MATPHAI": "10/10",
    "MATTRAI": "8/10",
    "KHAMTIMMACH": "Bình thường",
    "KHAMRHM": "Sâu răng số 6",
    "TUVAN": "Khám răng lại sau 3 tháng.",
}


def person(citizen: Citizen, **changed: Any) -> dict[str, Any]:
    return {
        "numbers": [{"kind": "national-id", "value": citizen.number}],
        "name": citizen.name,
        "birth_date": citizen.birth_date,
        "sex": citizen.sex,
    } | changed


def check(citizen: Citizen, **changed: Any) -> dict[str, Any]:
    return {
        "kind": "school",
        "form": "831-d",
        "check_number": "3A-001",
        "done_on": "2026-11-20",
        "person": person(citizen),
        "health_class": "Loại II",
        "conclusion": "Đủ sức khỏe học tập",
        "valid_until": "2027-11-19",
        "values": VALUES,
    } | changed


def fields(citizen: Citizen, number: str, **changed: str) -> dict[str, str]:
    """One row of a session."""
    return {
        "check_number": number,
        "national_id": citizen.number,
        "full_name": citizen.name,
        "birth_date": "/".join(reversed(citizen.birth_date.split("-"))),
        "sex": "Nam" if citizen.sex == "male" else "Nữ",
        "health_class": "Loại I",
        "conclusion": "Đủ sức khỏe học tập",
        **VALUES,
    } | changed


def table(rows: list[dict[str, str]], delimiter: str = ",", bom: bool = True) -> bytes:
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, names, delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode("utf-8-sig" if bom else "utf-8")


async def send(
    client: httpx.AsyncClient, token: str, body: bytes, media_type: str = "text/csv", **changed: str
) -> httpx.Response:
    params = {"kind": "school", "form": "831-d", "done_on": "2026-11-20"} | changed
    headers = bearer(token) | {"Content-Type": media_type}
    return await client.post(SESSION, params=params, content=body, headers=headers)


async def enter(
    client: httpx.AsyncClient, who: Doctor, body: dict[str, Any], key: str | None = None
) -> httpx.Response:
    headers = bearer(who.token) | ({"Idempotency-Key": key} if key else {})
    return await client.post(PLACE, json=body, headers=headers)
