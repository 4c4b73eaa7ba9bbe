"""Whatever the contract can say of sharing has words on the pages, in both languages."""

from typing import get_args

import pytest

from api.pages.citizen.family_view import BANDS
from api.pages.citizen.grants_view import STANDINGS, STATES
from api.pages.citizen.log_view import REASONS, report_card
from api.pages.citizen.notices_view import NOWHERE, PLACE_OF
from api.pages.scope_words import LABELS, PURPOSES, SCOPES, duration, kinds
from consent.apps.models import AppConsentState
from consent.links.models import LinkState
from consent.models import GrantState, StandingKind
from consent.policy import PURPOSES as ASKABLE
from consent.reports.models import Finding, ReportReason, ReportState
from family.models import SCOPES as FAMILY_SCOPES
from family.models import Band
from kernel.access import PARTNER_GROUPS, RECORD_TYPES, Label
from notifications.models import NotificationType


def test_every_state_kind_and_reason_has_words() -> None:
    for said, needed in (
        (STATES, (*get_args(GrantState), *get_args(AppConsentState), *get_args(LinkState))),
        (STANDINGS, get_args(StandingKind)),
        (REASONS, get_args(ReportReason)),
        (BANDS, get_args(Band)),
        (SCOPES, FAMILY_SCOPES),
        (PURPOSES, ASKABLE),
        (LABELS, [label.name for label in Label if label]),
    ):
        assert set(needed) <= set(said)  # type: ignore[call-overload]


@pytest.mark.parametrize("english", [False, True])
def test_every_kind_of_entry_has_words_of_its_own(english: bool) -> None:
    words = kinds([*RECORD_TYPES, *PARTNER_GROUPS], english=english)
    assert len(words) == len(RECORD_TYPES) + len(PARTNER_GROUPS)
    assert kinds(["Condition", "AllergyIntolerance", "Condition"], english=True) == ["Allergies", "Diagnoses"]


@pytest.mark.parametrize("state", get_args(ReportState))
@pytest.mark.parametrize("finding", [None, *get_args(Finding)])
def test_every_answer_to_a_report_has_words(state: str, finding: str | None) -> None:
    card = report_card({"state": state, "reason": "other", "finding": finding}, english=False)
    assert card["state_words"]
    assert card["finding_words"] != finding


def test_every_notice_leads_to_a_page_or_says_that_none_shows_more() -> None:
    assert set(PLACE_OF) | NOWHERE == set(get_args(NotificationType))
    assert not set(PLACE_OF) & NOWHERE


def test_lengths_read_as_people_say_them() -> None:
    said = [duration(seconds, english=False) for seconds in (1800, 3600, 86400, 7 * 86400)]
    assert said == ["30 phút", "1 giờ", "24 giờ", "7 ngày"]
