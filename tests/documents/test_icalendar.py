"""iCalendar: lines of 75 octets, one zone, versions of one event, and no text becomes a line (S35)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents.icalendar import LINE_OCTETS, CalendarEvent, write
from tests.support.hostile import HOSTILE_TEXTS

START = datetime(2026, 12, 1, 1, 30, tzinfo=UTC)
EVENT = CalendarEvent(
    uid="019aa3f0-0000-7000-8000-000000000007@healthbook",
    sequence=3,
    is_cancelled=False,
    starts_at=START,
    ends_at=START + timedelta(minutes=30),
    changed_at=START - timedelta(days=2),
    summary="Lịch hẹn",
    location="Khoa Nội tổng hợp, Bệnh viện Đa khoa Mẫu; tầng 2",
    organizer="urn:uuid:019aa3f0-0000-7000-8000-000000000001",
    organizer_name='Bệnh viện "Mẫu Đơn"',
)


def unfolded(data: bytes) -> list[str]:
    text = data.decode()
    assert text.endswith("\r\n")
    return text.replace("\r\n ", "").split("\r\n")[:-1]


def changed(**more: Any) -> CalendarEvent:
    return CalendarEvent(**{name: getattr(EVENT, name) for name in EVENT.__struct_fields__} | more)


def test_an_event_is_put_into_a_calendar_in_the_time_of_vietnam() -> None:
    lines = unfolded(write(EVENT))
    assert lines[:2] == ["BEGIN:VCALENDAR", "VERSION:2.0"]
    assert "METHOD:PUBLISH" in lines
    assert lines[lines.index("BEGIN:VTIMEZONE") + 1] == "TZID:Asia/Ho_Chi_Minh"
    assert "TZOFFSETTO:+0700" in lines
    assert "UID:019aa3f0-0000-7000-8000-000000000007@healthbook" in lines
    assert "SEQUENCE:3" in lines
    assert "DTSTART;TZID=Asia/Ho_Chi_Minh:20261201T083000" in lines
    assert "DTEND;TZID=Asia/Ho_Chi_Minh:20261201T090000" in lines
    assert "DTSTAMP:20261129T013000Z" in lines
    assert "STATUS:CONFIRMED" in lines
    assert "LOCATION:Khoa Nội tổng hợp\\, Bệnh viện Đa khoa Mẫu\\; tầng 2" in lines
    organizer = "ORGANIZER;CN=\"Bệnh viện ^'Mẫu Đơn^'\":urn:uuid:019aa3f0-0000-7000-8000-000000000001"
    assert organizer in lines


def test_a_cancelled_one_takes_itself_out() -> None:
    lines = unfolded(write(changed(is_cancelled=True, sequence=4)))
    assert {"METHOD:CANCEL", "STATUS:CANCELLED", "SEQUENCE:4"} <= set(lines)
    assert "METHOD:PUBLISH" not in lines


@pytest.mark.parametrize(
    "text", [*HOSTILE_TEXTS, "ậ" * 400, "🧪" * 200, "\r\nMETHOD:REQUEST", "a\nATTENDEE:b"]
)
def test_s35_no_text_begins_a_line_or_is_cut_within_a_sign(text: str) -> None:
    holds(text)


@given(st.text(max_size=600))
def test_s35_whatever_the_text(text: str) -> None:
    holds(text)


def holds(text: str) -> None:
    data = write(changed(summary=text, location=text, organizer_name=text))
    for line in data.split(b"\r\n"):
        assert len(line) <= LINE_OCTETS
        line.decode()
    plain = [line.partition(":")[0].partition(";")[0] for line in unfolded(write(EVENT))]
    assert [line.partition(":")[0].partition(";")[0] for line in unfolded(data)] == plain
    assert b"\n" not in data.replace(b"\r\n", b"")
    assert b"\r" not in data.replace(b"\r\n", b"")
