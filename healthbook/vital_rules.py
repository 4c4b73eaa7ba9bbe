"""What operators do with the default limits of measurements."""

from healthbook.commands import Signed, sign_act
from kernel.clock import SystemClock
from store.database import Store
from vitals.alerts.defaults import defaults
from vitals.rules import switches


async def rules_text(store: Store) -> str:
    async with store.transaction() as tx:
        rows = await switches.states(tx)
    lines = [f"set {defaults().version}", f"{'NAME':<28}{'STATE':<18}{'WITHOUT SOURCE':<18}SOURCE"]
    for row in rows:
        parts = ", ".join(row.unconfirmed) or "-"
        lines.append(f"{row.name:<28}{row.state:<18}{parts:<18}{row.confirmed or row.source}")
    return "\n".join(lines)


async def confirm_rule(store: Store, name: str, source: str, signed: Signed) -> str | None:
    """None: no limit of that name waits for a source."""
    async with store.transaction() as tx:
        if not await switches.confirm(tx, name, source, SystemClock().now()):
            return None
        await sign_act(tx, signed, f"vitals:rule-confirm-{name}", 1)
    return f"{name}: in force"


async def withdraw_rule(store: Store, name: str, signed: Signed) -> str | None:
    """None: it was not confirmed."""
    async with store.transaction() as tx:
        if not await switches.withdraw(tx, name):
            return None
        await sign_act(tx, signed, f"vitals:rule-withdraw-{name}", 1)
    return f"{name}: as it ships"
