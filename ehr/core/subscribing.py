"""Asking a core for notices: the only writing that is ever done there, by an operator's command.

Subscriptions R5 Backport 1.1: a Subscription whose criteria name a topic, payload id-only, channel rest-hook,
heartbeats. The topic is an R4 Basic of ours with the R5 extensions unless the core has one that fits.
"""

from typing import Any, Final

import httpx

from ehr.core.fhir_http import READ_SECONDS, CoreAddress
from ehr.core.policy import PARTS, VISITS
from ehr.core.subscription import HEARTBEAT_SECONDS
from ehr.ports import CoreError

SECRET_HEADER: Final = "X-Subscription-Secret"  # noqa: S105 - a name
NOTICES_PATH: Final = "/v1/core/notices"
OUR_TOPIC: Final = "urn:healthbook:topic:record-changed"
OUR_TOPIC_ID: Final = "healthbook-record-changed"
_BACKPORT: Final = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition"
_TOPIC: Final = "http://hl7.org/fhir/5.0/StructureDefinition/extension-SubscriptionTopic"


class Subscribing:
    """One connection to the core for the length of a command."""

    def __init__(self, address: CoreAddress) -> None:
        self._base = address.url.rstrip("/")
        headers = {"Accept": "application/fhir+json", "Content-Type": "application/fhir+json"}
        if address.token:
            headers["Authorization"] = f"Bearer {address.token}"
        self._client = httpx.AsyncClient(
            headers=headers, follow_redirects=False, trust_env=False, timeout=READ_SECONDS["background"]
        )

    async def create(self, endpoint: str, secret: str, topic: str | None) -> str:
        """Put the topic there and subscribe; the core's id of the Subscription. Raises CoreError."""
        if topic is None:
            await self._send("PUT", f"Basic/{OUR_TOPIC_ID}", topic_resource())
        made = await self._send(
            "POST", "Subscription", subscription_resource(topic or OUR_TOPIC, endpoint, secret)
        )
        ident = made.get("id")
        if not isinstance(ident, str) or not ident:
            raise CoreError("broken")
        return ident

    async def delete(self, ident: str) -> None:
        """Raises CoreError."""
        await self._send("DELETE", f"Subscription/{ident}", None)

    async def close(self) -> None:
        await self._client.aclose()

    async def _send(self, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        try:
            answer = await self._client.request(method, f"{self._base}/{path}", json=body)
        except httpx.TimeoutException:
            raise CoreError("timeout") from None
        except httpx.HTTPError:
            raise CoreError("unreachable") from None
        if answer.status_code in (401, 403):
            raise CoreError("refused")
        if not answer.is_success:
            raise CoreError("broken")
        try:
            found = answer.json() if answer.content else {}
        except ValueError:
            raise CoreError("broken") from None
        return found if isinstance(found, dict) else {}


def subscription_resource(topic: str, endpoint: str, secret: str) -> dict[str, Any]:
    """A Subscription (profile backport-subscription). The secret goes into a header, into no address."""
    content = {"url": f"{_BACKPORT}/backport-payload-content", "valueCode": "id-only"}
    heartbeat = {
        "url": f"{_BACKPORT}/backport-heartbeat-period",
        "valueUnsignedInt": HEARTBEAT_SECONDS,
    }
    return {
        "resourceType": "Subscription",
        "meta": {"profile": [f"{_BACKPORT}/backport-subscription"]},
        "status": "requested",
        "reason": "Record changes for the health book",
        "criteria": topic,
        "channel": {
            "extension": [heartbeat],
            "type": "rest-hook",
            "endpoint": endpoint,
            "payload": "application/fhir+json",
            "_payload": {"extension": [content]},
            "header": [f"{SECRET_HEADER}: {secret}"],
        },
    }


def topic_resource() -> dict[str, Any]:
    """Every creation, change and deletion of what is read of a core, and of its Patients."""
    types = ["Patient", VISITS, *(rtype for part in PARTS.values() for rtype in part.types)]
    triggers = [
        {
            "url": f"{_TOPIC}.resourceTrigger",
            "extension": [
                {"url": "resource", "valueUri": f"http://hl7.org/fhir/StructureDefinition/{rtype}"},
                *(
                    {"url": "supportedInteraction", "valueCode": one}
                    for one in ("create", "update", "delete")
                ),
            ],
        }
        for rtype in types
    ]
    return {
        "resourceType": "Basic",
        "id": OUR_TOPIC_ID,
        "modifierExtension": [{"url": f"{_TOPIC}.status", "valueCode": "active"}],
        "extension": [
            {"url": f"{_TOPIC}.url", "valueUri": OUR_TOPIC},
            {"url": f"{_TOPIC}.title", "valueString": "Record changed"},
            *triggers,
        ],
        "code": {"coding": [{"system": "http://hl7.org/fhir/fhir-types", "code": "SubscriptionTopic"}]},
    }
