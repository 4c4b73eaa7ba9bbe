"""Templates and files that lie beside the pages."""

from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import ChainableUndefined, ChoiceLoader, Environment, FileSystemLoader, PackageLoader

from api.pages.formats import FILTERS
from api.pages.static import static_path

HERE: Final = Path(__file__).parent


@cache
def templates() -> Environment:
    """Every value is escaped; no template marks one as safe (security.md S35)."""
    ours, components = FileSystemLoader(HERE / "templates"), PackageLoader("nhsuk_frontend_jinja")
    # The components ask for members of members that nobody gave.
    environment = Environment(
        loader=ChoiceLoader([ours, components]),
        autoescape=True,
        trim_blocks=True,
        undefined=ChainableUndefined,
    )
    environment.filters |= FILTERS
    environment.globals |= {"static": static_path}
    return environment
