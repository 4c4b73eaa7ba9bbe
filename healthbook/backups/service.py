"""`healthbook backup make` (once) and `healthbook backup run` (for as long as the service lives)."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from functools import partial
from typing import Final

import asyncpg
import structlog
from msgspec.structs import replace

from healthbook.backups import queries
from healthbook.backups.base import WrongServerError, make_base, server_of
from healthbook.backups.expiry import expire, note_who_left
from healthbook.backups.files import copy_files, lies_in, opened_files
from healthbook.backups.layout import SEGMENT, STATUS, Base, HistoryError, NodeStatus, way
from healthbook.backups.nodes import find_nodes, make_point
from healthbook.backups.status import BASE_EVERY
from healthbook.backups.tools import Node, ToolError, connected
from healthbook.backups.vault import Vault
from healthbook.backups.wal import ROUND_SECONDS, SLOT, LogStream
from healthbook.settings import Settings
from healthbook.wiring import Place, StartError
from kernel.clock import Clock
from store.archives import ArchiveError

MINUTE: Final = 60.0
# A sweep of many files is followed by a pause of ten times its length.
FILES_PAUSE: Final = 10
TRIES_SECONDS: Final = 60.0
FAULTS = (
    ArchiveError,
    ToolError,
    WrongServerError,
    OSError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    TimeoutError,
)
log = structlog.get_logger("backup")
Tell = Callable[[str], None]


def refuse_backup(settings: Settings) -> None:
    """Raises StartError where a copy would hold a key (S15), or would lie with what it is a copy of."""
    for what, place in (("HEALTHBOOK_KEYS", settings.keys), ("HEALTHBOOK_SIGNER_KEYS", settings.signer_keys)):
        if lies_in(place, settings):
            raise StartError(
                f"{what} lies among what is copied: a backup would hold keys. Move it out first."
            )
    if not settings.journal_bucket and lies_in(settings.journal, settings):
        raise StartError("HEALTHBOOK_JOURNAL lies among what is copied: a restore would bring it back too.")
    if settings.healthbook_backup and not settings.backup_bucket:
        for what, place in (("the data", settings.data), ("the keys", settings.keys)):
            if settings.backup.is_relative_to(place):
                raise StartError(f"{settings.backup} lies with {what}: a backup has a disk of its own.")


async def make(place: Place, vault: Vault, clock: Clock, tell: Tell) -> list[Base]:
    """Copy every server whole once, with its log until then, and the files; then let go what is too old.

    Raises StartError.
    """
    nodes = await find_nodes(place)
    spool = place.settings.backup_spool
    made: list[Base] = []
    try:
        for node in nodes:
            if await _is_streamed(node):
                made.append(await _whole(vault, node, clock, tell))
                await _wait_until_safe(vault, made[-1])
            else:
                async with LogStream(node, vault, spool) as stream:
                    made.append(await _whole(vault, node, clock, tell))
                    await _look(stream, vault, clock)
        async with opened_files(place.settings) as files:
            await copy_files(vault, files, clock.now(), lambda count: tell(f"{count} files"))
        await expire(vault, [node.name for node in nodes], clock.now())
    except WrongServerError as error:
        raise _other_server(error) from None
    except FAULTS as error:
        raise StartError(
            f"The backup broke off ({_class_of(error)}). What it left is no copy; run it again."
        ) from error
    return made


async def _whole(vault: Vault, node: Node, clock: Clock, tell: Tell) -> Base:
    return await make_base(vault, node, clock, lambda size: tell(f"{node.name}: {size} bytes"))


def _other_server(error: WrongServerError) -> StartError:
    return StartError(
        f"The repository holds copies of another server as {error}: name an empty HEALTHBOOK_BACKUP."
    )


async def _is_streamed(node: Node) -> bool:
    """Whether a `backup run` takes this server's log already."""
    async with connected(node) as connection:
        slot = await queries.SLOT.one(connection, SLOT)
    return slot is not None and slot.active


async def _wait_until_safe(vault: Vault, base: Base) -> None:
    """Until the other process has the log to the end of this copy. Raises TimeoutError."""
    deadline = time.monotonic() + TRIES_SECONDS
    while True:
        safe = [one.safe_until for one in await vault.nodes() if one.node == base.node and one.safe_until]
        if safe and safe[0] >= base.ended_at:
            return
        if time.monotonic() > deadline:
            raise TimeoutError
        await asyncio.sleep(1)


async def _look(stream: LogStream, vault: Vault, clock: Clock) -> None:
    """One round of a log, and a note of how far it is. Raises TimeoutError where not all of it came."""
    began = clock.now()
    position = await stream.ship()
    if position is None:
        raise TimeoutError
    found = NodeStatus(node=stream.node.name, position=position, safe_until=began, looked_at=began)
    await _note(vault, stream, found)


async def _note(vault: Vault, stream: LogStream, found: NodeStatus) -> None:
    await vault.note(f"{STATUS}{stream.node.name}.json", found)


class Run:
    """`backup run`: streams the log of every server, copies what is new, and makes whole copies by itself."""

    def __init__(self, place: Place, vault: Vault, clock: Clock, stop: asyncio.Event) -> None:
        self._place, self._vault, self._clock, self._stop = place, vault, clock, stop
        self._changed = asyncio.Event()
        self._nodes: list[Node] = []

    async def until_stopped(self) -> None:
        """Raises StartError where the service's own server or the repository is not usable at the start: what
        was written wrong must not be tried for ever unseen. A worker of a cluster that is away is told and
        tried again, and the others are copied meanwhile."""
        while not self._stop.is_set():
            self._changed.clear()
            self._nodes = await find_nodes(self._place)
            there = await self._refuse_others()
            names = [node.name for node in self._nodes]
            await self._attempt("nodes", partial(note_who_left, self._vault, names, self._clock.now()))
            async with AsyncExitStack() as opened:
                spool = self._place.settings.backup_spool
                streams = [LogStream(node, self._vault, spool) for node in self._nodes]
                for stream in streams:
                    opened.push_async_exit(stream)
                    if stream.node in there:
                        # Told by its first round, which tries again.
                        with suppress(*FAULTS):
                            await stream.__aenter__()
                async with asyncio.TaskGroup() as group:
                    for stream in streams:
                        group.create_task(self._stream(stream))
                        group.create_task(self._copy(stream))
                    group.create_task(self._sweep())
                    group.create_task(self._mind())

    async def _refuse_others(self) -> list[Node]:
        """Before the first segment: those of another server have the same names, and would be lost. Returns
        who is there; a worker that is away is asked by its stream, before its own first (LogStream)."""
        there = []
        for node in self._nodes:
            try:
                await server_of(self._vault, node)
                there.append(node)
            except WrongServerError as error:
                raise _other_server(error) from None
            except FAULTS as error:
                if node is self._nodes[0] or isinstance(error, ArchiveError):
                    raise StartError(
                        f"{node.name} or the repository cannot be used ({_class_of(error)})."
                    ) from error
        return there

    async def _pause(self, seconds: float) -> bool:
        """Wait; whether to go on."""
        waiting = [asyncio.ensure_future(one.wait()) for one in (self._stop, self._changed)]
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for one in waiting:
            one.cancel()
        return not (self._stop.is_set() or self._changed.is_set())

    async def _attempt(self, what: str, act: Callable[[], Awaitable[object]], node: str = "") -> str:
        """Do it; the class of what went wrong, or nothing. node: the server it is of, where it is of one."""
        try:
            await act()
        except FAULTS as error:
            log.error("backup_failed", what=what, node=node, error=_class_of(error), alert=True)
            return _class_of(error)
        return ""

    async def _stream(self, stream: LogStream) -> None:
        """The log, round after round; what comes while we are told to stop is in the last one."""
        going = True
        while going:
            going = await self._pause(ROUND_SECONDS)
            look = partial(_look, stream, self._vault, self._clock)
            fault = await self._attempt("log", look, node=stream.node.name)
            if fault:
                await self._attempt("status", partial(self._note_fault, stream, fault))

    async def _note_fault(self, stream: LogStream, fault: str) -> None:
        """Beside what was true until then."""
        name, now = stream.node.name, self._clock.now()
        before = [one for one in await self._vault.nodes() if one.node == name]
        last = before[0] if before else NodeStatus(node=name, looked_at=now)
        await _note(self._vault, stream, replace(last, looked_at=now, fault=fault, left_at=None))

    async def _copy(self, stream: LogStream) -> None:
        """Whole copies, each day and where the log does not lead on from the last one. The log begins first:
        without it a copy leads nowhere."""
        node = stream.node
        while await self._pause(ROUND_SECONDS):
            if stream.begun:
                await self._attempt("base", partial(self._copy_if_due, node), node=node.name)
            if not await self._pause(MINUTE):
                return

    async def _copy_if_due(self, node: Node) -> None:
        if not await is_due(self._vault, node, self._clock):
            return
        made = await make_base(self._vault, node, self._clock, lambda _: None)
        log.info("backup_made", node=node.name, bytes=made.length)
        await expire(self._vault, [one.name for one in self._nodes], self._clock.now())

    async def _sweep(self) -> None:
        """Files."""
        pause = MINUTE
        while await self._pause(pause):
            began = time.monotonic()
            await self._attempt("files", self._copy_files)
            pause = max(MINUTE, FILES_PAUSE * (time.monotonic() - began))

    async def _copy_files(self) -> None:
        async with opened_files(self._place.settings) as files:
            await copy_files(self._vault, files, self._clock.now(), lambda _: None)

    async def _mind(self) -> None:
        """A restore point each minute where there are several servers; begin anew where there are others."""
        while await self._pause(MINUTE):
            await self._attempt("nodes", self._mind_once)

    async def _mind_once(self) -> None:
        try:
            found = await find_nodes(self._place)
        except StartError as error:
            raise OSError("the database does not answer") from error
        if found != self._nodes:
            self._changed.set()
        elif len(found) > 1:
            await make_point(self._vault, found, self._clock.now())


async def is_due(vault: Vault, node: Node, clock: Clock) -> bool:
    """Whether a server needs a whole copy now."""
    bases = await vault.bases(node.name)
    if not bases or clock.now() - bases[-1].started_at >= BASE_EVERY:
        return True
    kept = await vault.log(node.name)
    segments = {name for name in kept if SEGMENT.fullmatch(name)}
    if any(int(name[:8], 16) > bases[-1].timeline for name in segments):
        # The server was restored since: the way over the branch is longer than a new beginning.
        return True
    try:
        way(bases[-1], segments, await vault.histories(kept), await vault.position(node.name))
    except HistoryError as error:
        log.error("backup_gap", node=node.name, what=str(error), alert=True)
        return True
    return False


def _class_of(error: BaseException) -> str:
    """Never its words: they can quote addresses."""
    return type(error).__name__
