"""A client as registered, as it stands in a statement's answer, and what it is handed."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from kernel.access import PartnerGroup

ClientKind = Literal["partner", "app"]
ClientAuth = Literal["private_key_jwt", "none"]
_Member = Annotated[str, Meta(max_length=200)]
_Number = Annotated[str, Meta(max_length=2_000)]


class AppClient(Struct, frozen=True):
    """A row of app_client. holder: who runs it, as people are told. jwks: a JWK Set of public keys as JSON
    text, or jwks_uri, where it is fetched; none of them for a public client (auth none).

    groups_max: what a partner may ask for of QĐ 31's four groups; scopes_max: of SMART's scopes, for apps.
    Quotas are calls.
    """

    client_id: UUID
    kind: ClientKind
    name: str
    holder: str
    auth: ClientAuth
    jwks: str | None
    jwks_uri: str | None
    redirect_uris: list[str]
    scopes_max: list[str]
    groups_max: list[PartnerGroup]
    quota_per_day: int
    quota_per_minute: int
    webhook_uri: str | None
    created_at: datetime
    changed_at: datetime
    ended_at: datetime | None


_Text = Annotated[str, Meta(min_length=1, max_length=100)]
_Address = Annotated[str, Meta(min_length=8, max_length=500)]
_Scope = Annotated[str, Meta(min_length=1, max_length=120)]


class ClientKey(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A public key of a client (RFC 7517 and 7518). What is not named here is ignored and not kept. d, p, q,
    dp, dq, qi, oth and k are of private and shared keys, and named to be seen: with one of them the entry is
    refused as client-entry-invalid."""

    kty: _Member
    crv: _Member | None = None
    x: _Member | None = None
    y: _Member | None = None
    n: _Number | None = None
    e: _Member | None = None
    kid: Annotated[str, Meta(max_length=256)] | None = None
    alg: _Member | None = None
    use: _Member | None = None
    key_ops: Annotated[list[_Member], Meta(max_length=8)] | None = None
    d: _Number | None = None
    p: _Number | None = None
    q: _Number | None = None
    dp: _Number | None = None
    dq: _Number | None = None
    qi: _Number | None = None
    oth: Annotated[list[Annotated[dict[str, _Number], Meta(max_length=8)]], Meta(max_length=8)] | None = None
    k: _Number | None = None


class ClientKeySet(Struct, frozen=True, kw_only=True):
    """A JWK Set; what else it holds is ignored."""

    keys: Annotated[list[ClientKey], Meta(max_length=100)]


class NewAppClient(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What two operators agree on. jwks: public keys alone."""

    kind: ClientKind
    name: _Text
    holder: Annotated[str, Meta(min_length=1, max_length=200)]
    auth: ClientAuth
    jwks: ClientKeySet | None = None
    jwks_uri: _Address | None = None
    redirect_uris: Annotated[list[_Address], Meta(max_length=10)] = []
    scopes_max: Annotated[list[_Scope], Meta(max_length=60)] = []
    groups_max: Annotated[list[PartnerGroup], Meta(max_length=4)] = []
    quota_per_day: Annotated[int, Meta(ge=1, le=1_000_000)] = 20_000
    quota_per_minute: Annotated[int, Meta(ge=1, le=10_000)] = 300
    webhook_uri: _Address | None = None


class ChangedAppClient(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything of a client as it is to be from now on; its kind, name, holder and
    how it proves itself stay, since people agreed to these."""

    client_id: UUID
    client: NewAppClient


class EndedAppClient(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A client that is let in no more: its tokens are dead with the confirmation."""

    client_id: UUID


class AppTokens(Struct, frozen=True, kw_only=True):
    """What a client is handed once (RFC 6749 section 5.1). refresh_token: where one was asked for."""

    access_token: str
    token_type: Literal["DPoP", "Bearer"]
    expires_in_seconds: int
    scope: str
    session_id: UUID
    refresh_token: str | None = None


class LiveApp(Struct, frozen=True):
    """A token in force joined with its client."""

    client_id: UUID
    session_id: UUID
    kind: ClientKind
    name: str
    jkt: str | None
    reference: UUID | None
    scope: str
    scopes_max: list[str]
    quota_per_day: int
    quota_per_minute: int


class RefreshRow(Struct, frozen=True):
    """The family of a refresh token. refresh_hash: of the one token that is good now."""

    client_id: UUID
    session_id: UUID
    jkt: str | None
    reference: UUID | None
    scope: str
    refresh_hash: bytes | None
    expires_at: datetime
    ended_at: datetime | None


def jwks_text(new: NewAppClient) -> str | None:
    return None if new.jwks is None else msgspec.json.encode(new.jwks).decode()
