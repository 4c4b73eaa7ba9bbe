"""What a person sees when the service starts: where to click and who can sign in."""

from collections.abc import Sequence
from pathlib import Path

import click

from healthbook.demo_sheet import DemoPractitioner, load_sheet
from healthbook.wiring import Serving

SHOWN_MAX = 6
DESK_MAX = 2
SHEET = "demo.json"


def announce(serving: Serving) -> None:
    """Print addresses and, in a demo, the invented people."""
    settings = serving.place.settings
    lines = [
        f"Sổ sức khỏe điện tử: {settings.base_url}",
        f"  API, to read and to try:  {settings.base_url}/docs",
    ]
    if serving.demo:
        lines.append(f"  try it, step by step:     {settings.base_url}/demo")
        lines.append(f"  messages of the demo:     {settings.base_url}/demo/inbox")
        lines += demo_lines(settings.data / SHEET)
    lines.append("Ctrl-C stops it. Nothing that was answered is lost.")
    click.echo("\n".join(lines))


def demo_lines(path: Path) -> list[str]:
    """The people of the demo, from the sheet that `healthbook demo` left beside the data."""
    if not path.exists():
        return []
    sheet = load_sheet(path)
    citizens = [
        f"    {c.key}: {c.name}, số {c.number}, điện thoại {c.phone}, PIN {c.pin}" for c in sheet.citizens
    ]
    return [
        "  Citizens:",
        *citizens[:SHOWN_MAX],
        "  Staff (the TOTP secret stands in the sheet):",
        *_staff(sheet.practitioners[:SHOWN_MAX]),
        "  Front desk, and who sets it up:",
        *_staff(sheet.desk_staff[:DESK_MAX]),
        *_staff(sheet.administrators[:DESK_MAX]),
        *[f"    {k.client_id} ({k.kind}, {k.facility}): {k.client_secret}" for k in sheet.kiosks[:1]],
        "  The whole sheet with device keys and TOTP secrets: .venv/bin/healthbook demo --json",
    ]


def _staff(people: Sequence[DemoPractitioner]) -> list[str]:
    return [f"    {one.username} ({one.role}, {one.facility}): {one.password}" for one in people]
