"""What people do against somebody else's access, and what therefore finds a place in a full process: a limit
that keeps a revocation out is a weapon (security.md S31). By method and template, known before a body comes.
"""

from typing import Final

ENDINGS: Final[frozenset[tuple[str, str]]] = frozenset(
    {
        # Out, and a lost phone.
        ("POST", "/v1/auth/sign-out"),
        ("POST", "/sign-out"),
        ("POST", "/doctor/sign-out"),
        ("DELETE", "/v1/me/devices/{device_id}"),
        ("POST", "/me/settings/devices/{device_id}/end"),
        # Who can see me.
        ("POST", "/v1/me/who-can-see-me/end-all"),
        ("POST", "/me/who-can-see-me/end-all"),
        ("POST", "/me/who-can-see-me/{one_id}/end"),
        # Consents.
        ("DELETE", "/v1/me/grants/{grant_id}"),
        ("PATCH", "/v1/me/grants/{grant_id}"),
        ("POST", "/v1/me/grants/revoke"),
        ("POST", "/me/sharing/grants/{grant_id}/end"),
        ("POST", "/me/sharing/grants/{grant_id}/narrow"),
        ("DELETE", "/v1/me/delegations/{delegation_id}"),
        ("DELETE", "/v1/me/connected-apps"),
        ("DELETE", "/v1/me/connected-apps/{consent_id}"),
        ("POST", "/me/sharing/apps/{consent_id}/end"),
        ("DELETE", "/v1/me/share-links/{link_id}"),
        ("POST", "/me/sharing/links/{link_id}/end"),
        ("DELETE", "/v1/me/share-codes/{code_id}"),
        # Requests that nobody asked for.
        ("POST", "/v1/me/access-requests/{request_id}/refuse"),
        ("POST", "/v1/me/access-requests/{request_id}/not-me"),
        ("POST", "/me/requests/{request_id}/refuse"),
        ("POST", "/me/requests/{request_id}/not-me"),
        ("POST", "/v1/me/app-requests/{request_id}/refuse"),
        # Blocks, and what is hidden.
        ("POST", "/v1/me/blocks"),
        ("POST", "/me/sharing/grants/{grant_id}/block"),
        ("POST", "/v1/me/hidings"),
        ("POST", "/me/hidden"),
        # Emergency.
        ("POST", "/v1/me/emergency-access/{emergency_id}/end"),
        ("POST", "/me/emergency/{emergency_id}/end"),
        ("DELETE", "/v1/me/emergency-card"),
        ("POST", "/me/card/emergency/off"),
        # Family, and an erasure that somebody else set off.
        ("DELETE", "/v1/me/family/{person_id}"),
        ("POST", "/me/family/{person_id}/end"),
        ("DELETE", "/v1/me/guardians/{person_id}"),
        ("DELETE", "/v1/me/proxies/invitations/{invitation_id}"),
        ("DELETE", "/v1/me/erasure"),
    }
)
