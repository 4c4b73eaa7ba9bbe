"""PDFs as people send them, whole and by hand: with a page to see, and with whatever a test hides in them."""

import zlib

_PAGE = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 %d %d]/Contents 4 0 R/Resources<<>>>>"
_BOX = b"0.8 0 0 rg 20 20 60 60 re f"


def pdf(
    pages: int = 1, *, size: tuple[int, int] = (200, 200), catalog: bytes = b"", more: bytes = b""
) -> bytes:
    """A file with a red box on every page. catalog: entries of its catalogue; more: objects, from 9."""
    kids = b" ".join(b"%d 0 R" % (100 + number) for number in range(pages))
    objects = {
        1: b"<</Type/Catalog/Pages 2 0 R " + catalog + b">>",
        2: b"<</Type/Pages/Count %d/Kids[%s]>>" % (pages, kids),
        4: stream(b"", _BOX),
    } | {100 + number: _PAGE % size for number in range(pages)}
    body = b"%PDF-1.7\n" + b"".join(b"%d 0 obj%s endobj\n" % one for one in objects.items()) + more
    at = {number: body.index(b"%d 0 obj" % number) for number in objects}
    rows = b"".join(b"%d 1\n%010d 00000 n \n" % one for one in at.items())
    tail = b"trailer<</Root 1 0 R/Size %d>>\nstartxref\n%d\n%%%%EOF\n" % (100 + pages, len(body))
    return body + b"xref\n" + rows + tail


def hidden_script() -> bytes:
    """A script that starts with the file, in a compressed object stream: no byte of it is in the clear."""
    script = b"<</S/JavaScript/JS(app.alert(1))>>"
    inner = b"5 0 " + script
    objects = {
        1: b"<</Type/Catalog/Pages 2 0 R/OpenAction 5 0 R>>",
        2: b"<</Type/Pages/Count 1/Kids[3 0 R]>>",
        3: _PAGE % (200, 200),
        4: stream(b"", _BOX),
        6: stream(b"/Type/ObjStm/N 1/First 4/Filter/FlateDecode", zlib.compress(inner)),
    }
    body, at = b"%PDF-1.7\n", {}
    for number, text in objects.items():
        at[number] = len(body)
        body += b"%d 0 obj%s endobj\n" % (number, text)
    places = [(1, at[n], 0) if n in at else (2, 6, 0) if n == 5 else (1, len(body), 0) for n in range(1, 8)]
    table = b"\0\0\0\0\0\0\xff" + b"".join(bytes([k]) + v.to_bytes(4) + g.to_bytes(2) for k, v, g in places)
    cross = stream(b"/Type/XRef/Size 8/W[1 4 2]/Root 1 0 R/Filter/FlateDecode", zlib.compress(table))
    return body + b"7 0 obj" + cross + b"endobj\nstartxref\n%d\n%%%%EOF\n" % len(body)


def stream(entries: bytes, data: bytes) -> bytes:
    return b"<<%s/Length %d>>stream\n%s\nendstream " % (entries, len(data), data)
