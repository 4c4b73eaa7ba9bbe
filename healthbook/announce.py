"""What a person sees when the service starts: where to click and who can sign in."""

from pathlib import Path
from typing import Any

import click
import msgspec

from healthbook.wiring import Serving

DEMO_SUMMARY = "demo.json"


def announce(serving: Serving) -> None:
    """Print addresses and, in a demo, the invented people."""
    settings = serving.place.settings
    lines = [
        f"Sổ sức khỏe điện tử: {settings.base_url}",
        f"  API, to read and to try:  {settings.base_url}/docs",
    ]
    if serving.demo:
        lines.append(f"  messages of the demo:     {settings.base_url}/demo/inbox")
        lines += demo_lines(settings.data / DEMO_SUMMARY)
    lines.append("Ctrl-C stops it. Nothing that was answered is lost.")
    click.echo("\n".join(lines))


def demo_lines(path: Path) -> list[str]:
    """The people of the demo from the summary that `healthbook demo` left."""
    if not path.exists():
        return []
    summary: dict[str, Any] = msgspec.json.decode(path.read_bytes())
    citizens = [
        f"    {c['name']}: number {c['number']}, phone {c['phone']}, PIN {c['pin']}"
        for c in summary.get("citizens", [])
        if c.get("pin")
    ]
    staff = [
        f"    {p['username']} ({p.get('facility', '')}): {p['password']}, TOTP secret {p['totp_secret']}"
        for p in summary.get("practitioners", [])
    ]
    lines = ["  Citizens:", *citizens[:8], "  Staff:", *staff[:8]]
    return [*lines, "  Everything, with device keys: healthbook demo --json"]
