"""Links of the document lead to what the answer is about, and not by way of what is over."""

from typing import Any

import msgspec
import pytest

from api.pages.docs import served_document

LINKS: dict[str, dict[str, Any]] = {
    operation["operationId"]: {
        name: link
        for response in operation["responses"].values()
        for name, link in response.get("links", {}).items()
    }
    for operations in msgspec.json.decode(served_document())["paths"].values()
    for operation in operations.values()
}


@pytest.mark.parametrize("source", ["list_own_certificates", "list_health_cards"])
def test_no_link_leads_from_what_has_ended(source: str) -> None:
    assert "/ended/" not in str(LINKS[source])


def test_a_list_of_other_things_does_not_lead_to_the_things_it_mentions() -> None:
    assert "end_alert_rule" not in LINKS["read_alerts"]
    assert "acknowledge_alert" in LINKS["read_alerts"]
    assert "end_alert_rule" in LINKS["read_alert_rules"]
    assert "me_set_vital_source_priority" in LINKS["me_vital_devices"]
