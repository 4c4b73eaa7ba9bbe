"""The service account of a Firebase project, as Google's console hands it out: a JSON file."""

from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from msgspec import Struct

BYTES_MAX = 64 * 1024


class AccountError(Exception):
    """FCM_CREDENTIALS names no usable account; the text says why and quotes nothing of the file."""


class ServiceAccount(Struct, frozen=True):
    """What of the file is used. token_uri: where access tokens come from."""

    type: str
    project_id: str
    private_key_id: str
    private_key: str
    client_email: str
    token_uri: str

    def __repr__(self) -> str:
        return f"ServiceAccount({self.project_id})"


def read_account(path: Path) -> ServiceAccount:
    """The account in a file. Raises AccountError in plain words."""
    try:
        with path.open("rb") as file:
            raw = file.read(BYTES_MAX)
            is_open = bool(path.stat().st_mode & 0o077)
    except OSError as error:
        raise AccountError(f"the file cannot be read ({type(error).__name__})") from None
    if is_open:
        raise AccountError("others on this machine can read the file; use mode 0600")
    try:
        account = msgspec.json.decode(raw, type=ServiceAccount)
    except msgspec.MsgspecError:
        raise AccountError("expected the JSON file of a service account") from None
    _check(account)
    return account


def _check(account: ServiceAccount) -> None:
    if account.type != "service_account" or not account.project_id:
        raise AccountError("expected the JSON file of a service account")
    parts = urlsplit(account.token_uri)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname == "127.0.0.1"):
        raise AccountError("its token_uri is not https")
    try:
        load_pem_private_key(account.private_key.encode(), password=None)
    except ValueError:
        raise AccountError("its private key cannot be read") from None
