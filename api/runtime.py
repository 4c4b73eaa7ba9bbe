"""What every request of one server process shares."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Final, TypeAlias

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from api.callers import Callers
from api.pages.demo_people import DemoDesk
from api.tracing import Trace, untraced
from audit.answered.service import Answered
from audit.roots.problems import PROOF_BUSY
from ehr.cases.problems import EVIDENCE_BUSY
from ehr.exports.problems import EXPORT_BUSY
from ehr.intake.slots import ImportSlots
from ehr.letters.models import Validity
from ehr.ports import Core
from ehr.reads.elsewhere import ELSEWHERE_DAYS
from identity.app_versions.standing import AppPolicies
from identity.app_versions.uses import AppUses
from identity.devices import BrowserOrigin
from identity.ports import IdentityVerifier
from kernel.clock import Clock
from notifications.sms import HOTLINE
from partners.fhir.turns import SearchTurns
from partners.oauth.keys import ClientKeys
from store.database import Store
from vaccination.signer.ports import Signer
from visits.coverage_check.ports import CoverageCheck
from vitals.accepting import SERIES_DAYS
from vitals.gate import BatchGate

OpenStore: TypeAlias = Callable[[], AbstractAsyncContextManager[Store]]
OpenCore: TypeAlias = Callable[[], AbstractAsyncContextManager[Core | None]]
OpenGateway: TypeAlias = Callable[[], AbstractAsyncContextManager[CoverageCheck | None]]
OpenVerifier: TypeAlias = Callable[[], AbstractAsyncContextManager[IdentityVerifier | None]]

# Uploads of 12 MiB that are read or drawn at once; twice as many wait with nothing read of theirs.
PICTURES_AT_ONCE: Final = 8


class Runtime:
    """The store is there once the application has started."""

    def __init__(
        self, store: Store | None, clock: Clock, *, demo: bool, trusted_proxies: frozenset[str]
    ) -> None:
        self._store = store
        self.clock = clock
        self.demo = demo
        self.trusted_proxies = trusted_proxies
        self.missing_providers: tuple[str, ...] = ()
        self.browser_origin: BrowserOrigin | None = None
        self.hotline = HOTLINE
        self.sms_secret = ""
        self.elsewhere_days = ELSEWHERE_DAYS
        self.letter_validity = Validity()
        self.link_viewer = ""
        self.import_slots = ImportSlots()
        self.export_slots = ImportSlots("export", problem=EXPORT_BUSY)
        self.proof_slots = ImportSlots("proof", problem=PROOF_BUSY)
        self.picture_slots = ImportSlots("picture", PICTURES_AT_ONCE, EVIDENCE_BUSY)
        self.search_turns = SearchTurns()
        self.client_keys = ClientKeys()
        self._batch_gate: BatchGate | None = None
        self.vital_series_days = SERIES_DAYS
        self.core: Core | None = None
        self.coverage_check: CoverageCheck | None = None
        self.verifier: IdentityVerifier | None = None
        self.identity_return: frozenset[str] = frozenset()
        self.signer: Signer | None = None
        self.axis_keys: tuple[RSAPublicKey, ...] = ()
        self.answered = Answered()
        self.callers = Callers()
        self.trace: Trace = untraced
        self.app_policies = AppPolicies()
        self.app_uses = AppUses()
        self.demo_desk: DemoDesk | None = None
        self.is_leaving: Callable[[], bool] = lambda: False

    @property
    def store(self) -> Store:
        assert self._store is not None, "the application has not started"
        return self._store

    @store.setter
    def store(self, store: Store | None) -> None:
        self._store = store

    @property
    def batch_gate(self) -> BatchGate:
        """Made with the first batch: it is as wide as the pool, which opens with the application."""
        if self._batch_gate is None:
            self._batch_gate = BatchGate(self.store.connections_max)
        return self._batch_gate

    @batch_gate.setter
    def batch_gate(self, gate: BatchGate | None) -> None:
        self._batch_gate = gate
