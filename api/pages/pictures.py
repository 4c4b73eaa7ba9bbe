"""Pictures inside a page: a `data:` address is no place that a history or a log could keep (S34)."""

from base64 import b64encode


def data_address(kind: str, content: bytes) -> str:
    """kind: the media type."""
    return f"data:{kind};base64,{b64encode(content).decode()}"


def svg_address(drawn: str) -> str:
    """The same of a drawing that came as text, such as a code of the contract."""
    return data_address("image/svg+xml", drawn.encode())
