"""Templates and files that lie beside the pages."""

from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader

from kernel.clock import VIETNAM

HERE: Final = Path(__file__).parent


@cache
def templates() -> Environment:
    """Every value is escaped; no template marks one as safe (security.md S35)."""
    environment = Environment(loader=FileSystemLoader(HERE / "templates"), autoescape=True)
    environment.filters["local_time"] = local_time
    return environment


def local_time(at: datetime) -> str:
    return at.astimezone(VIETNAM).strftime("%H:%M:%S %d/%m/%Y")
