"""Exports in tests: the signed header, and what stands in an answer."""

import base64
import io
import json
import secrets
from datetime import datetime
from typing import Any

import rfc8785
from pypdf import PdfReader

from tests.support.people import Citizen
from tests.support.phone import base64url


def step_up(citizen: Citizen, export: str, now: datetime, **changes: Any) -> dict[str, str]:
    """The header of a person's export, signed by the phone."""
    instant = int(now.timestamp())
    facts = {"nonce": base64url(secrets.token_bytes(16)), "iat": instant, "exp": instant + 120}
    text = {
        "typ": "export-record",
        "environment": "production",
        "patient_id": str(citizen.patient_id),
        "device_id": str(citizen.actor.device_id),
        "export": export,
        **facts,
        **changes,
    }
    signature = citizen.phone.step_up_key.sign(rfc8785.dumps(text))
    act = {name: text[name] for name in facts} | {"signature": signature}
    return {"X-Step-Up": base64.urlsafe_b64encode(json.dumps(act).encode()).decode().rstrip("=")}


def pdf_pages(data: bytes) -> list[str]:
    """The text of each page."""
    return [page.extract_text() for page in PdfReader(io.BytesIO(data)).pages]
