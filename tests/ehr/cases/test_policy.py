"""Every way a case can go, as properties: no refusal stops a clock, no end is left but by the ways back."""

from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ehr.cases.models import Act, CaseState, Kind
from ehr.cases.policy import RUNNING, after, late_from

ACTS: tuple[Act, ...] = get_args(Act)
KINDS: tuple[Kind, ...] = get_args(Kind)
STATES: tuple[CaseState, ...] = get_args(CaseState)
OPENED = datetime(2026, 11, 2, 3, tzinfo=UTC)
FIRST, LAST = OPENED + timedelta(days=2), OPENED + timedelta(days=10)
BY_FACILITY: set[Act] = {"acknowledge", "reply", "refuse", "resolve"}


class CaseMachine(RuleBasedStateMachine):
    """Anybody tries anything, in any order."""

    kind: Kind = "correction"
    state: CaseState = "open"
    acts: list[Act]

    @initialize(kind=st.sampled_from(KINDS))
    def open(self, kind: Kind) -> None:
        self.kind, self.state, self.acts = kind, "open", []

    @rule(act=st.sampled_from(ACTS))
    def do(self, act: Act) -> None:
        state = after(self.kind, self.state, act)
        if state is None:
            return
        was_running = self.state in RUNNING
        if act in BY_FACILITY and state not in RUNNING:
            assert act == "resolve"
            assert state in ("corrected", "detached")
        if not was_running:
            assert act in ("reopen", "resend")
            assert state in RUNNING
        if state == "restored":
            assert self.kind == "not-mine"
            assert act in ("withdraw", "accept")
        self.state = state
        self.acts.append(act)

    @precondition(lambda self: self.state in RUNNING)
    @invariant()
    def a_running_case_gets_late_and_the_person_can_end_it(self) -> None:
        late = late_from(self.state, FIRST, LAST)
        assert late == (FIRST if self.state == "open" else LAST)
        ended = after(self.kind, self.state, "withdraw")
        assert ended is not None
        assert ended not in RUNNING

    @precondition(lambda self: self.state not in RUNNING)
    @invariant()
    def a_closed_case_is_never_late(self) -> None:
        assert late_from(self.state, FIRST, LAST) is None

    @invariant()
    def the_state_belongs_to_the_kind(self) -> None:
        only: dict[CaseState, Kind] = {
            "corrected": "correction",
            "detached": "not-mine",
            "restored": "not-mine",
            "arrived": "missing-visit",
        }
        assert only.get(self.state, self.kind) == self.kind


CaseMachine.TestCase.settings = settings(max_examples=200, stateful_step_count=30, deadline=None)
test_a_case_goes_only_ways_that_exist: Any = CaseMachine.TestCase


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("state", sorted(RUNNING))
def test_refusing_or_silence_stops_no_clock(kind: Kind, state: CaseState) -> None:
    refused = after(kind, state, "refuse")
    if state == "refused":
        assert refused is None
        return
    assert refused == "refused"
    assert late_from(refused, FIRST, LAST) == LAST


@given(kind=st.sampled_from(KINDS), state=st.sampled_from(STATES))
def test_only_the_person_brings_back_what_was_not_theirs(kind: Kind, state: CaseState) -> None:
    bringing = {act for act in ACTS if after(kind, state, act) == "restored"}
    assert bringing <= {"withdraw", "accept"}
