"""How many of the codes that stand in the records have a Vietnamese name."""

from msgspec import Struct

from ehr.displays import DISPLAY_VERSION, names_of, system_key
from ehr.reads.queries import CODES_IN_USE, CodeUse
from store.database import Tx

MISSING_SHOWN = 50


class SystemCoverage(Struct, frozen=True, kw_only=True):
    """One code system: distinct codes and their uses, all and with a Vietnamese name."""

    system: str
    codes: int
    codes_named: int
    uses: int
    uses_named: int


class Coverage(Struct, frozen=True, kw_only=True):
    """missing: the most used codes without a name, commonest first."""

    display_version: int
    systems: list[SystemCoverage]
    missing: list[CodeUse]


async def display_coverage(tx: Tx) -> Coverage:
    """Compare the display table with all stored codes. Counts only; no person is in it."""
    found = await CODES_IN_USE.all(tx)
    by_system: dict[str, list[CodeUse]] = {}
    for use in found:
        by_system.setdefault(system_key(use.code_system), []).append(use)
    systems = [_coverage(system, uses) for system, uses in by_system.items()]
    missing = [use for use in found if not names_of(use.code_system, use.code)]
    return Coverage(
        display_version=DISPLAY_VERSION,
        systems=sorted(systems, key=lambda s: -s.uses),
        missing=missing[:MISSING_SHOWN],
    )


def _coverage(system: str, uses: list[CodeUse]) -> SystemCoverage:
    named = [use for use in uses if names_of(use.code_system, use.code)]
    return SystemCoverage(
        system=system or "(none)",
        codes=len(uses),
        codes_named=len(named),
        uses=sum(use.uses for use in uses),
        uses_named=sum(use.uses for use in named),
    )
