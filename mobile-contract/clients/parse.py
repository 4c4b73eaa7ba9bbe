"""Reads generated Swift or Dart with a grammar, for there is no compiler of either in the registries we use.

python parse.py LANGUAGE FOLDER, by the interpreter of tools.lock. Prints, as JSON, how many files and types
there are, which places do not parse and which names of types nobody declares. It knows neither types of
expressions nor overloads: that a compiler is content is not said by it.
"""

import json
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from tree_sitter import Language, Node, Parser

# Valid, and the grammar does not read it: a cast right after `()`. Twice in swift6's own runtime, URLSession.
GAPS = {
    "swift": ((b"= () as! T", b"= unit as! T"), (b"(nilLiteral: ()) as! T", b"(nilLiteral: unit) as! T")),
    "dart": (),
}
REFERENCE = {"swift": "type_identifier", "dart": "type_identifier"}
DECLARATIONS = {
    "swift": {
        "class_declaration",
        "protocol_declaration",
        "typealias_declaration",
        "type_parameter",
        "associatedtype_declaration",
    },
    "dart": {
        "class_definition",
        "class_declaration",
        "enum_declaration",
        "mixin_declaration",
        "extension_declaration",
        "type_alias",
        "type_parameter",
    },
}


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# What the language itself, its standard library or a library named in the generated manifest declares.
GIVEN = {
    "swift": _words("""
    Any AnyHashable Array BidirectionalCollection BinaryInteger Bool BooleanLiteralType CaseIterable
    Codable CodingKey Comparable Data Date DateFormatter Decoder DecodingError Decodable Dictionary
    DispatchQueue Double Encodable Encoder Equatable Error ExpressibleByArrayLiteral
    ExpressibleByBooleanLiteral ExpressibleByDictionaryLiteral ExpressibleByFloatLiteral
    ExpressibleByIntegerLiteral ExpressibleByNilLiteral ExpressibleByStringInterpolation
    ExpressibleByStringLiteral Float FloatLiteralType FloatingPoint HTTPURLResponse Hashable
    Identifiable Int Int32 Int64 IntegerLiteralType JSONDecoder JSONEncoder K Key NSCoder NSNumber
    NSObject NSString Numeric Progress RawRepresentable Range Self Sendable Set String StringLiteralType
    Encoding EncodingError Hasher KeyedDecodingContainer KeyedEncodingContainer SingleValueDecodingContainer
    SingleValueEncodingContainer UnkeyedDecodingContainer UnkeyedEncodingContainer
    Swift TimeInterval Type URL URLAuthenticationChallenge AuthChallengeDisposition URLCredential
    URLQueryItem URLRequest URLResponse URLSession URLSessionTask URLSessionTaskDelegate UUID Void
    concurrent discardableResult escaping retroactive unchecked
    """),
    "dart": _words("""
    CancelToken DateTime Dio Duration Future Interceptor Iterable List Map MultipartFile Object
    ProgressCallback
    RegExpMatch RequestInterceptorHandler RequestOptions Response Set String Uint8List ValidateStatus
    bool double dynamic int num void
    """),
}


def read(language: str, folder: Path) -> dict[str, object]:
    parser = Parser(Language(import_module(f"tree_sitter_{language}").language()))
    faults, declared, used, files = [], set(GIVEN[language]), {}, 0
    for file in sorted(folder.rglob(f"*.{language}")):
        text = file.read_bytes()
        for valid, read_instead in GAPS[language]:
            text = text.replace(valid, read_instead)
        files += 1
        for node in _nodes(parser.parse(text).root_node):
            if node.type == "ERROR" or node.is_missing:
                faults.append(f"{file.relative_to(folder)}:{node.start_point[0] + 1}")
            elif node.type in DECLARATIONS[language]:
                declared |= {_text(name) for name in _names(node)}
            elif node.type == REFERENCE[language]:
                used.setdefault(_text(node), f"{file.relative_to(folder)}:{node.start_point[0] + 1}")
    unknown = {name: place for name, place in used.items() if name not in declared}
    return {"files": files, "types": len(declared), "faults": faults, "unknown": unknown}


def _nodes(root: Node) -> Iterator[Node]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += node.children


def _names(node: Node) -> list[Node]:
    named = node.child_by_field_name("name")
    if named is not None:
        return [named]
    kinds = ("type_identifier", "identifier", "simple_identifier")
    return [child for child in node.children if child.type in kinds][:1]


def _text(node: Node) -> str:
    return (node.text or b"").decode()


if __name__ == "__main__":
    sys.stdout.write(json.dumps(read(sys.argv[1], Path(sys.argv[2])), indent=1))
