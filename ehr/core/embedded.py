"""Our own tables as a core: what an `Access` lets out, inside the transaction of its decision."""

from datetime import date, datetime

from ehr.core import queries
from ehr.core.queries import DocRow
from ehr.intake.systems import IDENTIFIER_KINDS
from ehr.ports import Budget, CoreResource, CoreState, Deletions, Listing
from ehr.reads.scope import scope_of
from identity.people import resolve_subject
from kernel.access import Access
from kernel.clock import start_of_day
from store.database import Tx
from store.keys import KeyRing


class EmbeddedCore:
    """One person's record through the one filter. Lives as long as the transaction and its decision.

    `CoreResource.id` is our id; the raw text keeps the id and the references that its source gave.
    """

    source_id = "embedded"
    name = "Sổ sức khỏe điện tử"

    def __init__(self, tx: Tx, keys: KeyRing, access: Access, now: datetime) -> None:
        self._tx, self._keys, self._access, self._now = tx, keys, access, now

    def state(self, now: datetime) -> CoreState:  # noqa: ARG002
        return "closed"

    async def find_patients(self, system: str, value: str, budget: Budget) -> list[CoreResource]:  # noqa: ARG002
        """The person of the decision, when the number is theirs; nobody else is ever found here."""
        kind = IDENTIFIER_KINDS.get(system)
        found = await resolve_subject(self._tx, self._keys, kind, value, self._now) if kind else None
        if found is None or found != self._access.patient_id:
            return []
        raw = b'{"resourceType":"Patient","id":"%s"}' % str(found).encode()
        return [CoreResource(rtype="Patient", id=str(found), raw=raw, version=None, updated=None)]

    async def read(self, rtype: str, ident: str, budget: Budget) -> CoreResource | None:  # noqa: ARG002
        row = await queries.DOC_BY_ID.one(self._tx, *scope_of(self._access, self._now), rtype, ident)
        return None if row is None else _resource(row)

    async def list_type(
        self,
        patient: str,
        rtype: str,
        budget: Budget,  # noqa: ARG002
        *,
        updated_since: datetime | None = None,
        dated_since: date | None = None,
    ) -> Listing:
        dated = start_of_day(dated_since) if dated_since else None
        scope = scope_of(self._access, self._now)
        rows = (
            await queries.DOCS_OF_TYPE.all(self._tx, *scope, rtype, updated_since, dated)
            if patient == str(self._access.patient_id)
            else []
        )
        return Listing(resources=[_resource(row) for row in rows], total=len(rows), complete=True)

    async def deleted_since(self, rtype: str, since: datetime, budget: Budget) -> Deletions:  # noqa: ARG002
        """Only in the person's own whole view: what was deleted can be something that is withheld."""
        access = self._access
        if not access.is_own or access.types is not None or access.withheld_labels:
            return Deletions(references=frozenset(), supported=False)
        ids = await queries.DELETED_IDS.all(self._tx, access.patient_id, rtype, since)
        return Deletions(references=frozenset(f"{rtype}/{ident}" for ident in ids), supported=True)

    def binary_of(self, url: str) -> str | None:  # noqa: ARG002
        """No address in a record leads here: contents stand in the rows themselves."""
        return None

    async def read_binary(self, ident: str, budget: Budget) -> bytes | None:  # noqa: ARG002
        return None

    async def missed_events(self, subscription: str, first: int, last: int) -> bytes | None:  # noqa: ARG002
        return None


def _resource(row: DocRow) -> CoreResource:
    return CoreResource(
        rtype=row.rtype, id=row.id, raw=row.doc.encode(), version=str(row.version), updated=row.updated
    )
