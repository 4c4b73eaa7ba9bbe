"""What the commands on keys do: begin, seal anew, take away (docs/decisions/0015-keys-and-the-end.md)."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from consent.links.service import count_under_pepper as links_under_pepper
from healthbook.backups.expiry import KEPT_FOR
from healthbook.commands import Signed, pages_of_people, sign_act, write_down
from healthbook.wiring import StartError
from identity.rotation.service import count_under_lookup, count_under_pepper
from kernel.clock import SystemClock
from store.database import Store
from store.key_life import LEAD, LEADS, current_since, retire, states, why_not_retired
from store.keys import LOOK_SECONDS, KeyRingError, Purpose, add_key
from store.resealing import count_under, reseal_blobs, reseal_page
from store.sealed_columns import COLUMNS

# No count of today tells what a restored backup brings back.
BACKUPS = (
    f"Retire it {KEPT_FOR.days} days after nothing lies under it: until then a backup may bring back what "
    "only it opens."
)
BROUGHT_BACK: frozenset[Purpose] = frozenset({"field", "pepper"})
# A process that was busy looks again a little later than it should.
SEEN_AFTER = timedelta(seconds=12 * LOOK_SECONDS)


def key_lines(directory: Path) -> list[str]:
    """What `healthbook admin keys` prints: one line a key."""
    lines = []
    for one in states(directory, SystemClock().now()):
        since = "" if one.starts_at is None else f"  from {one.starts_at:%Y-%m-%d %H:%M:%S} UTC"
        lines.append(f"{one.purpose:<18}{one.key_id}  {one.state}{since}")
    return lines


async def begin_key(
    store: Store, directory: Path, purpose: Purpose, after: timedelta | None, signed: Signed
) -> tuple[str, datetime]:
    """Make the next key; running processes learn of it and use it from an instant on. Raises StartError."""
    now = SystemClock().now()
    held = [one for one in states(directory, now) if one.purpose == purpose]
    if waiting := next((one.key_id for one in held if one.state == "coming"), None):
        raise StartError(f"{purpose} key {waiting} has not begun yet; one after the other.")
    async with store.transaction() as tx:
        for one in held if purpose == "lookup" else ():
            # A look-up tries two versions: what a third one hid would be found by nobody.
            if one.state == "older" and await count_under_lookup(tx, one.key_id):
                raise StartError(
                    "Run `healthbook admin rotate-lookup` first: it has not moved everything yet."
                )
        await sign_act(tx, signed, f"keys:add-{purpose}", 1)
    starts_at = now + (LEADS.get(purpose, LEAD) if after is None else after)
    try:
        return add_key(directory, purpose, starts_at if held else None), starts_at if held else now
    except KeyRingError as error:
        raise StartError(f"{error}.") from error


def refuse_early(directory: Path, purpose: Purpose) -> None:
    """Raises StartError until every process makes things with the newest key of a purpose."""
    now = SystemClock().now()
    found = states(directory, now)
    coming = [one.starts_at for one in found if one.purpose == purpose and one.state == "coming"]
    begins = max((one for one in coming if one is not None), default=current_since(found, purpose))
    if begins is not None and now < begins + SEEN_AFTER:
        raise StartError(
            f"Not before {begins + SEEN_AFTER:%Y-%m-%d %H:%M:%S} UTC: until then a process may use the older "
            f"{purpose} key."
        )


async def reseal(store: Store, told: Callable[[int], None], signed: Signed) -> tuple[int, int]:
    """Seal every cell and every file anew that an older field key sealed, while the service runs.

    told: how many people are done since the last call. Returns (sealed anew, what does not open). Stopped in
    between, run it again: it goes on with what is left. Run it as hb_owner.
    """
    moved = broken = 0
    for column in COLUMNS:
        since: UUID | None = UUID(int=0)
        while since is not None:
            async with store.transaction() as tx:
                page = await reseal_page(tx, store.keys, column, since)
            moved, broken, since = moved + page.moved, broken + page.broken, page.last
    async for people in pages_of_people(store):
        for patient_id in people:
            files = await reseal_blobs(store.blobs, store.keys, patient_id)
            moved, broken = moved + files.moved, broken + files.broken
        told(len(people))
    await write_down(store, signed, "keys:reseal", moved)
    return moved, broken


async def retire_key(
    store: Store, directory: Path, purpose: Purpose, key_id: str, told: Callable[[int], None], signed: Signed
) -> None:
    """Take a key away that nothing needs any more. Raises StartError with what still does.

    told: how many files were looked at since the last call.
    """
    now = SystemClock().now()
    if why := why_not_retired(states(directory, now), purpose, key_id, now):
        raise StartError(why)
    if left := await left_under(store, purpose, key_id, told, now):
        raise StartError(" ".join([*left, *_of_backups(purpose)]))
    await write_down(store, signed, f"keys:retire-{purpose}", 1)
    retire(directory, purpose, key_id)


async def lines_of_older(store: Store, directory: Path, told: Callable[[int], None]) -> list[str]:
    """What still needs each older key, one line a key."""
    now, lines = SystemClock().now(), []
    for one in states(directory, now):
        if one.state == "older":
            left = await left_under(store, one.purpose, one.key_id, told, now)
            why = why_not_retired(states(directory, now), one.purpose, one.key_id, now)
            said = [*(left or [why or "Nothing needs it."]), *_of_backups(one.purpose)]
            lines.append(f"{one.purpose:<18}{one.key_id}  {' '.join(said)}")
    return lines


def _of_backups(purpose: Purpose) -> list[str]:
    return [BACKUPS] if purpose in BROUGHT_BACK else []


async def left_under(
    store: Store, purpose: Purpose, key_id: str, told: Callable[[int], None], now: datetime
) -> list[str]:
    """Sentences on what database and files still have under a key; nothing of purposes that leave nothing."""
    if purpose == "field":
        return await _left_under_field(store, key_id, told)
    found = []
    async with store.transaction() as tx:
        if purpose == "lookup" and (count := await count_under_lookup(tx, key_id)):
            found.append(f"{count} hashes stand under it: `healthbook admin rotate-lookup` moves them.")
        if purpose == "pepper" and (count := await count_under_pepper(tx, key_id)):
            found.append(f"{count} PINs and passwords rest under it until their owners sign in again.")
        if purpose == "pepper" and (count := await links_under_pepper(tx, key_id, now)):
            found.append(f"{count} share links in force have a passcode under it.")
    return found


async def _left_under_field(store: Store, key_id: str, told: Callable[[int], None]) -> list[str]:
    found, files, first = [], 0, ""
    for column in COLUMNS:
        async with store.transaction() as tx:
            if count := await count_under(tx, column, key_id):
                found.append(f"{count} cells of {column.table}.{column.column} are sealed under it.")
    async for name, under in store.blobs.every():
        if under == key_id:
            files, first = files + 1, first or name
        told(1)
    if files:
        found.append(f"{files} files lie under it, the first is {first}.")
    if found:
        found.append(
            "`healthbook admin reseal` seals them anew; docs/runbook.md (Keys) says what to do with the rest."
        )
    return found
