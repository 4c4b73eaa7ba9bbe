"""Which of the exchanges that tests had becomes an operation's example (api/document/recorded.json):

    HEALTHBOOK_RECORD=folder pytest …  &&  python -m tests.support.picking folder

Everything is picked anew; what has no better exchange in this recording stays as it is while it fits. What
tests never send is written by hand in api/document/written.json, which is not touched here.
Ids, tokens and keys become stand-ins that everybody sees to be ones and that the schema still admits; people,
facilities and doctors become one of each.
"""

import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from itertools import cycle, islice
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

from api.document.examples import FORM, RECORDED, Examples, is_json, poverty, recorded, written
from tests.support.answers import document, validator_of

SIZE_MAX = 4_000  # bytes of one example
FILE_MIN = 200  # base64 of this length is a file
FILE_SHOWN = 120
ITEMS = (2, 1)  # how many of a list are shown, tried in this order
TEXTS = ("text/", "application/xml", "application/x-ndjson", "application/jose", FORM)
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
HEX = re.compile(r"(?<![0-9A-Za-z])[0-9a-f]{32,}(?![0-9A-Za-z])")
TOKEN = re.compile(r"(?<![\w-])(?=[\w-]*[a-z])(?=[\w-]*[A-Z])(?=[\w-]*[0-9])[A-Za-z0-9_-]{20,}(?![\w-])")
BASE32 = re.compile(r"(?<![\w-])(?=[A-Z]*[0-9])[A-Z0-9]{20,}(?![\w-])")
BASE64 = re.compile(r"[A-Za-z0-9+/]{22,}={0,2}")
DIGITS = re.compile(r"(?<=shc:/)[0-9]{20,}")
HC1 = re.compile(r"(?<=HC1:)[0-9A-Z $%*+./:-]{20,}")
# Numbers of people: one for all of them.
NATIONAL_ID = re.compile(r"(?<!\d)0\d{11}(?!\d)")
INSURANCE = re.compile(r"(?<!\w)([A-Z]{2}\d{7})\d{6}(?!\w)")
PHONE = re.compile(r"(?<!\w)(\+84|0)[35789]\d{8}(?!\d)")
NUMBERED = re.compile(r"(?<=Thử) \d+(?!\d|\s*mg)")
# The key of RFC 7515, A.3: it is public, of the right form, and everybody knows whose it is.
WELL_KNOWN = {
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}
# Words of tests that try what should do no harm: no example to learn from.
HOSTILE = re.compile(
    r"<script|<img|[\x00-\x08\x0b\x0c\x0e-\x1f\u200b-\u200f\u202a-\u202e\u2066-\u2069]"
    r"|zzqx|DROP TABLE|\.\./|([^ -])\1{11}"
)
# Words of tests that mean nothing to a reader: what has fewer of them tells more.
ODD = re.compile(r"\.\.\.|qzj|wkv|Zinzol|ghp\.|[»<🧪]|\"0+\"|: \"x\"|00000000|\(tự khai\)|bảo vệ danh tính")
DRAWN = re.compile(r"<svg.*</svg>", re.DOTALL)
DRAWING = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 29 29"><path d="M0 0h7v7h-7z"/></svg>'
# Everybody is the same invented citizen, doctor and facility, as most tests have them.
SAME = {
    "Lê Thị Thẻ": "Trần Thị Thử",
    "Trần Văn Ngó": "Nguyễn Văn Thử",
    "Đặng Thị Kín Đáo": "Nguyễn Văn Thử",
    "Bệnh viện A": "Bệnh viện Thử",
    "Bệnh viện Tâm thần X": "Bệnh viện Thử",
    "N. T. H., sinh 1985": "T. T. T., sinh 1985",
    "Bệnh viện Lõi": "Bệnh viện Thử",
    "Zinzol 5 mg": "Amlodipin 5 mg",
    "wkvhai": "Hai",
    "qzjmot": "Một",
    "qzj glucose": "Glucose",
    "MOT lời": "Một lời",
}
LICENCE = re.compile(r"(?<!\w)\d{6}/[GHKLMNTX]{4}-CCHN(?!\w)")


def main(folder: Path) -> None:
    """Write the file, and name the operations that no test sends and nobody wrote by hand."""
    known, by_hand = recorded("operations"), written("operations")
    exchanges = read(folder)
    seen, shown = Examples(document()), Examples(document())
    chosen, missing = {}, []
    for path, operation in operations():
        name = operation["operationId"]
        before = [known[name]] if name in known and fits(known[name], operation) else []
        made = [exchange for one in exchanges[name] if (exchange := prepared(one, path, operation))]
        if made or before:
            chosen[name] = min(made or before, key=rank)
            shown.learn_from(operation, chosen[name])
        elif name not in by_hand and needs_one(operation):
            missing.append(name)
        for one in made:
            seen.learn_from(operation, one)
    fuller = {name: value for name, value in seen.named.items() if is_fuller(value, shown.named.get(name))}
    both = {"operations": chosen, "schemas": fuller}
    RECORDED.write_text(json.dumps(both, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
    sys.stdout.write(f"{len(chosen)} operations; made of the schema alone: {' '.join(missing) or 'none'}\n")


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document()["paths"].items():
        for operation in methods.values():
            yield path, operation


def read(folder: Path) -> dict[str, list[dict[str, Any]]]:
    found = defaultdict(list)
    for file in sorted(folder.glob("*.jsonl")):
        for line in file.read_bytes().splitlines():  # of bytes: texts of tests hold other line ends
            exchange = json.loads(line)
            found[exchange["operation"]].append(exchange)
    return found


def is_fuller(value: Any, shown: Any) -> bool:
    """Whether the examples of operations show this schema with empty lists, and this value with fewer."""
    return shown is None or (poverty(shown)[0] > 0 and poverty(value) < poverty(shown))


def needs_one(operation: dict[str, Any]) -> bool:
    """Whether it has a body, an answer or a required parameter that somebody can read."""
    wanted = [parameter for parameter in operation["parameters"] if parameter.get("required")]
    return bool(wanted or request_schema(operation) or answer_schemas(operation))


def prepared(exchange: dict[str, Any], path: str, operation: dict[str, Any]) -> dict[str, Any] | None:
    """With as much of its lists as has room; None when it is not one to show."""
    for most in ITEMS:
        made = example_of(exchange, path, operation, most)
        text = json.dumps(made, sort_keys=True, ensure_ascii=False)
        if len(text.encode()) <= 2 * SIZE_MAX and not HOSTILE.search(text) and fits(made, operation):
            return made
    return None


def rank(made: dict[str, Any]) -> tuple[int, int, int, str]:
    """The least is the most telling: few empty lists and odd words, many fields, short."""
    text = json.dumps(made, sort_keys=True, ensure_ascii=False)
    poor = text.count("[]") + len(ODD.findall(text))
    return (poor, -len(set(filled(made))), len(text), text)


def example_of(exchange: dict[str, Any], path: str, operation: dict[str, Any], most: int) -> dict[str, Any]:
    """The exchange, cut and with its stand-ins."""
    made: dict[str, Any] = {"parameters": parameters_of(exchange, path, operation)}
    sent_as = exchange["headers"].get("content-type", "").partition(";")[0]
    for part, text, media_type in (
        ("request", exchange["sent"], sent_as),
        ("answer", exchange["answered"], exchange["media_type"]),
    ):
        if text and (value := _parsed(text, media_type)) is not None:
            made[part] = replaced(cut(value, most))
    return {name: value for name, value in made.items() if value or name != "parameters"}


def parameters_of(exchange: dict[str, Any], path: str, operation: dict[str, Any]) -> dict[str, Any]:
    """Those of the path and the query, typed as the document types them."""
    parts = zip(path.split("/"), exchange["path"].split("/"), strict=False)
    found = {name[1:-1]: unquote(value) for name, value in parts if name.startswith("{")}
    found |= exchange["query"]
    declared = {
        one["name"]: one["schema"] for one in operation["parameters"] if one["in"] in ("path", "query")
    }
    return {
        name: replaced(_typed(value, declared[name]), name)
        for name, value in found.items()
        if name in declared
    }


def cut(value: Any, most: int) -> Any:
    if isinstance(value, dict):
        return {name: cut(inner, most) for name, inner in value.items()}
    return [cut(inner, most) for inner in value[:most]] if isinstance(value, list) else value


def replaced(value: Any, name: str = "id", nth: str = "") -> Any:
    """Stand-ins for ids, tokens, signatures, keys and numbers of people, everywhere. An id follows from
    the name of its field and its place in a list, so that the same thing has one id in every example."""
    if isinstance(value, dict):
        known = WELL_KNOWN if "kty" in value else {}
        return {key: known.get(key) or replaced(inner, key, nth) for key, inner in value.items()}
    if isinstance(value, list):
        return [replaced(inner, name, f"{nth}{index or ''}") for index, inner in enumerate(value)]
    return _replaced(value, name + nth) if isinstance(value, str) else value


def _replaced(text: str, name: str) -> str:
    if BASE64.fullmatch(text) and ("=" in text or len(text) > FILE_MIN):
        padding = len(text) - len(text.rstrip("="))
        return _cycled("Example0", text[padding : FILE_SHOWN + padding]) + "=" * padding
    text = UUID.sub(stable_id(name), DRAWN.sub(DRAWING, text))
    text = HEX.sub(lambda found: _cycled(sha256(name.encode()).hexdigest(), found[0]), text)
    text = DIGITS.sub(lambda found: _cycled("0123456789", found[0]), text)
    text = HC1.sub(lambda found: _cycled("EXAMPLE0", found[0]), text)
    text = BASE32.sub(lambda found: _cycled("EXAMP2E3", found[0]), text)
    text = TOKEN.sub(lambda found: found[0] if UUID.search(found[0]) else _cycled("Example0", found[0]), text)
    text = NATIONAL_ID.sub("079185000011", text)
    text = INSURANCE.sub(r"\g<1>000011", text)
    text = PHONE.sub(r"\g<1>900000001", text)
    text = LICENCE.sub("000507/CCHN", NUMBERED.sub("", text))
    for word, same in SAME.items():
        text = text.replace(word, same)
    return text


@cache
def stable_id(name: str) -> str:
    """A UUIDv7 that every run makes of this name."""
    tail = sha256(name.encode()).hexdigest()
    return f"01985e2c-7a00-7{tail[:3]}-8{tail[3:6]}-{tail[6:18]}"


def _cycled(word: str, text: str) -> str:
    return "".join(islice(cycle(word), len(text)))


def filled(value: Any, path: str = "") -> Iterator[str]:
    """The places that hold something."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from filled(inner, f"{path}/{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from filled(inner, f"{path}/0")
    elif value not in (None, ""):
        yield path


def fits(made: dict[str, Any], operation: dict[str, Any]) -> bool:
    """Whether the document admits every part, and has everything it needs."""
    declared = {one["name"]: one for one in operation["parameters"]}
    needed = {
        name for name, one in declared.items() if one.get("required") and one["in"] in ("path", "query")
    }
    sent = made.get("parameters", {})
    if not needed <= set(sent) <= set(declared):
        return False
    if not all(_valid(declared[name]["schema"], value) for name, value in sent.items()):
        return False
    body, answers = request_schema(operation), answer_schemas(operation)
    if (body is not None and "request" not in made) or (bool(answers) and "answer" not in made):
        return False
    if body is not None and not _valid(body, made["request"]):
        return False
    return all(_valid(schema, made["answer"]) for schema in answers)


def request_schema(operation: dict[str, Any]) -> dict[str, Any] | None:
    """Of the body that can be shown; None where there is none, or bytes."""
    shown = list(_shown(operation.get("requestBody", {})))
    return shown[0] if shown else None


def answer_schemas(operation: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        schema
        for status, response in operation["responses"].items()
        if status < "300"
        for schema in _shown(response)
    ]


def _shown(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Schemas of what is JSON or else text. Pictures, papers and archives are bytes."""
    for media_type, media in body.get("content", {}).items():
        if is_json(media_type) or media_type.startswith(TEXTS):
            yield media["schema"]


def _valid(schema: dict[str, Any], value: Any) -> bool:
    return validator_of(json.dumps(schema)).is_valid(value)


def _parsed(text: str, media_type: str) -> Any:
    if media_type == FORM:
        return dict(parse_qsl(text))
    return json.loads(text) if is_json(media_type) else text


def _typed(value: str, schema: dict[str, Any]) -> Any:
    kinds = schema.get("type", "string")
    if "string" in (kinds if isinstance(kinds, list) else [kinds]):
        return value
    return json.loads(value)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
