"""Tables of medicine safety: a file becomes the table in force, whole or not at all."""

from ehr.medicine_safety.tables import BadTableError, load_table, read_table
from healthbook.commands import Signed, sign_act
from healthbook.wiring import StartError
from kernel.clock import SystemClock
from store.database import Store


async def load_medicine_table(store: Store, name: str, data: bytes, signed: Signed) -> str:
    """Load a file. Returns a line that says what became of it. Raises StartError in plain words."""
    try:
        file = read_table(data)
        async with store.transaction() as tx:
            is_new = await load_table(tx, file, SystemClock().now())
            await sign_act(tx, signed, f"medicine-safety:load:{file.kind}", len(file.rows) if is_new else 0)
    except BadTableError as error:
        raise StartError(f"{name}: {error}. Nothing was loaded.") from error
    done = "loaded" if is_new else "was loaded before"
    return f"{file.kind} {file.version}: {len(file.rows)} lines, {done}"
