"""The house rules that a machine can hold: sizes, the one maker of Access, who may read a record,
what a handler declares, what is cached, what a body may look like."""

import ast
import re
import typing
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Any

import msgspec
import pytest
from litestar.handlers import HTTPRouteHandler
from litestar.params import BodyKwarg

from api.app import collect_handlers
from api.request import PUBLIC
from kernel.problems import PROBLEMS

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = (
    "api",
    "audit",
    "consent",
    "documents",
    "ehr",
    "family",
    "healthbook",
    "identity",
    "kernel",
    "notifications",
    "partners",
    "qr",
    "reminders",
    "store",
    "vaccination",
    "visits",
    "vitals",
)
FUNCTION_LINES_MAX = 70
FUNCTION_LINES_MOST = 35
FILE_LINES_MAX = 700
CONTROLLER_LINES_MAX = 15
ACTORS = {
    "citizen",
    "doctor",
    "pharmacist",
    "vaccinator",
    "nurse",
    "clerk",
    "facility-admin",
    "registry-officer",
    "privacy-officer",
    "department-analyst",
    "hotline-agent",
    "facility-system",
    "kiosk",
    "partner",
    "app",
    "operator",
    PUBLIC,
}
VAGUE_NAMES = {"utils.py", "helpers.py", "common.py", "manager.py", "misc.py"}


@cache
def sources() -> dict[Path, ast.Module]:
    files = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    return {path.relative_to(ROOT): ast.parse(path.read_text()) for path in files}


@cache
def nodes(tree: ast.AST) -> tuple[ast.AST, ...]:
    """Every node of a tree; walked once, since most rules look at all of them."""
    return tuple(ast.walk(tree))


@cache
def functions() -> tuple[tuple[Path, ast.FunctionDef | ast.AsyncFunctionDef], ...]:
    return tuple(
        (path, node)
        for path, tree in sources().items()
        for node in nodes(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from `def` to the end; decorators and the docstring do not count."""
    doc = node.body[0]
    has_doc = isinstance(doc, ast.Expr) and isinstance(doc.value, ast.Constant)
    doc_lines = (doc.end_lineno or 0) - doc.lineno + 1 if has_doc else 0
    return (node.end_lineno or node.lineno) - node.lineno + 1 - doc_lines


def body_length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of the statements alone."""
    statements = node.body[1:] or node.body
    return (statements[-1].end_lineno or 0) - statements[0].lineno + 1


def test_functions_stay_small() -> None:
    lengths = sorted(length(node) for _, node in functions())
    long = [
        f"{path}:{node.name} {length(node)}"
        for path, node in functions()
        if length(node) > FUNCTION_LINES_MAX
    ]
    assert not long
    assert lengths[int(len(lengths) * 0.9)] <= FUNCTION_LINES_MOST
    assert lengths[len(lengths) // 2] <= 10


def test_files_stay_small_and_their_names_are_nouns() -> None:
    sizes = {path: len((ROOT / path).read_text().splitlines()) for path in sources()}
    assert {path: size for path, size in sizes.items() if size > FILE_LINES_MAX} == {}
    assert [path for path in sizes if path.name in VAGUE_NAMES] == []


def test_every_function_is_annotated() -> None:
    bare = [
        f"{path}:{node.name}"
        for path, node in functions()
        if node.returns is None and node.name != "__init__"
    ]
    assert bare == []


def test_only_the_decision_makes_an_access() -> None:
    namers = {
        path.as_posix()
        for path, tree in sources().items()
        for node in nodes(tree)
        if "mint_access" in names_in(node)
    }
    assert namers == {"kernel/access.py", "consent/decision.py"}


def names_in(node: ast.AST) -> set[str]:
    if isinstance(node, ast.Name):
        return {node.id}
    if isinstance(node, ast.Attribute):
        return {node.attr}
    if isinstance(node, ast.ImportFrom):
        return {alias.name for alias in node.names}
    if isinstance(node, ast.FunctionDef):
        return {node.name}
    return {node.value} if isinstance(node, ast.Constant) and isinstance(node.value, str) else set()


def test_no_access_is_forged_through_the_object_model() -> None:
    """`object.__new__(Access)`, copies and pickles would pass the constructor by."""
    forged = []
    for path, tree in sources().items():
        if path.as_posix() == "kernel/access.py":
            continue
        for node in nodes(tree):
            if isinstance(node, ast.Attribute) and node.attr in {"__reduce__", "__setstate__"}:
                forged.append(f"{path}:{node.lineno}")
            if isinstance(node, ast.Attribute) and ast.unparse(node) in {"object.__new__", "Access.__new__"}:
                forged.append(f"{path}:{node.lineno}")
            if isinstance(node, ast.Import | ast.ImportFrom) and "pickle" in ast.dump(node):
                forged.append(f"{path}:{node.lineno}")
    assert forged == []


# The one module of api/ that opens a record; the demo reads once as a doctor, so that a log is there to see.
# The nightly count reads under the decision for jobs and writes the row of each read itself.
READING_DOORS = {
    "api/reading.py",
    "api/exporting.py",
    "healthbook/demo_certificates.py",
    "healthbook/demo_consent.py",
    "healthbook/statistics_jobs.py",
    "healthbook/axis_jobs.py",
}
READ_MODULES = {"summary", "timeline", "sections", "trend", "search", "changes"}


def test_every_read_of_a_record_takes_an_access() -> None:
    for path, node in functions():
        if path.parent.as_posix() == "ehr/reads" and path.stem in READ_MODULES and node.name == "read":
            annotations = [ast.unparse(arg.annotation) for arg in node.args.args if arg.annotation]
            assert "Access" in annotations, path


def test_a_record_leaves_only_through_the_one_door() -> None:
    """Nothing else decides, reads and writes the row of the read."""
    doors = {
        path.as_posix()
        for path, tree in sources().items()
        if path.parts[0] in ("api", "healthbook")
        and ("record_read" in all_names(tree) or READ_MODULES & names_from(tree, "ehr.reads"))
    }
    assert doors == READING_DOORS


# Where the decision is asked for; X-Patient-Id is resolved beside it and nowhere else.
DECIDING = {
    *("api/acting.py", "api/exporting.py", "api/reading.py"),
    *(
        "healthbook/demo_booking.py",
        "healthbook/demo_campaign.py",
        "healthbook/demo_certificates.py",
        "healthbook/demo_consent.py",
        "healthbook/demo_declarations.py",
        "healthbook/demo_family.py",
        "healthbook/demo_questions.py",
        "healthbook/demo_reminders.py",
        "healthbook/demo_statements.py",
        "healthbook/demo_vaccination.py",
        "healthbook/demo_vitals.py",
    ),
}


def namers_of(name: str) -> set[str]:
    return {
        path.as_posix()
        for path, tree in sources().items()
        if path.parts[0] in ("api", "healthbook") and name in all_names(tree)
    }


def test_the_decision_is_asked_for_in_few_places() -> None:
    assert namers_of("decide") == DECIDING
    assert namers_of("patient_id_for") == {
        "api/request.py",
        "api/acting.py",
        "api/reading.py",
        "api/exporting.py",
    }


# What the routes of a person and of a doctor share.
SHARED_READS = {f"api/{name}.py" for name in ("health_checks", "vaccination", "vitals", "vitals_fhir")}


@cache
def deciders() -> frozenset[str]:
    """The functions of api/ that decide before they do anything, and those that only call one of them."""
    found = {"begin_for", "read_record", "read_measured", "export_own", "print_own", "stream_content"}
    (tree,) = (tree for path, tree in sources().items() if path.as_posix() == "api/reading.py")
    callers = {node.name: all_names(node) for node in tree.body if isinstance(node, ast.AsyncFunctionDef)}
    assert "decide" in callers["read_record"]
    assert "decide" in callers["read_measured"]
    for path, tree in sources().items():
        if path.as_posix() in SHARED_READS:
            callers |= {n.name: all_names(n) for n in tree.body if isinstance(n, ast.AsyncFunctionDef)}
    found |= {name for name, names in callers.items() if found & names}
    return frozenset(found | {name for name, names in callers.items() if found & names})


def names_from(tree: ast.Module, module: str) -> set[str]:
    """What a module imports from `module` itself."""
    imports = [n for n in nodes(tree) if isinstance(n, ast.ImportFrom) and n.module == module]
    return {alias.name for node in imports for alias in node.names}


@cache
def all_names(tree: ast.AST) -> frozenset[str]:
    return frozenset().union(*(names_in(node) for node in ast.walk(tree)))


def test_sql_stands_in_queries_alone() -> None:
    """A statement anywhere else would pass the prepare test, the plan test and the ownership test by."""
    verb = re.compile(
        r"^\s*(SELECT\s.+\sFROM|INSERT INTO|UPDATE\s+\w+\s+SET|DELETE FROM|WITH\s+\w+\s+AS)\s", re.S
    )
    strays = [
        f"{path}:{node.lineno}"
        for path, tree in sources().items()
        if path.name != "queries.py" and "queries" not in path.parts
        for node in nodes(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and verb.match(node.value)
    ]
    assert strays == []


def test_no_other_package_runs_a_statement_of_a_domain() -> None:
    """Arguments of a statement are untyped; what crosses a package goes through a typed function."""
    strays = [
        f"{path}:{node.lineno}"
        for path, tree in sources().items()
        for node in nodes(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] != path.parts[0]
        for alias in node.names
        if alias.name == "queries" or ((node.module or "").endswith(".queries") and alias.name.isupper())
    ]
    assert strays == []


@cache
def handlers() -> tuple[HTTPRouteHandler, ...]:
    return tuple(one for one in collect_handlers(demo=True) if isinstance(one, HTTPRouteHandler))


every_handler = pytest.mark.parametrize("handler", handlers(), ids=lambda h: h.operation_id or h.handler_name)


@every_handler
def test_a_handler_says_what_it_is(handler: HTTPRouteHandler) -> None:
    actors = handler.opt.get("actors")
    assert actors, "a handler names its actors"
    assert set(actors) <= ACTORS
    assert isinstance(handler.operation_id, str)
    summary = (handler.fn.__doc__ or "").strip().partition("\n")[0]
    assert summary.endswith("."), "the docstring's first line is the operation's summary"
    assert handler.tags
    assert all(problem.code in PROBLEMS for problem in handler.opt.get("problems", ()))


@pytest.mark.parametrize(
    "handler",
    [one for one in handlers() if any(path.startswith("/v1/me") for path in one.paths)],
    ids=lambda h: h.operation_id or h.handler_name,
)
def test_every_route_of_ones_own_book_goes_through_the_decision(handler: HTTPRouteHandler) -> None:
    path = Path(handler.fn.__module__.replace(".", "/") + ".py")
    (names,) = (all_names(node) for at, node in functions() if (at, node.name) == (path, handler.fn.__name__))
    assert deciders() & names
    assert not {"begin", "begin_public", "transaction"} & names


def test_operation_ids_are_unique() -> None:
    ids = [handler.operation_id for handler in handlers()]
    assert len(set(ids)) == len(ids)


@every_handler
def test_s20_no_answer_is_cached_by_path(handler: HTTPRouteHandler) -> None:
    assert not handler.cache or handler.fn.__module__.startswith("api.public.")


def test_controllers_stay_thin() -> None:
    fat = [
        f"{path}:{node.name} {length(node)}"
        for path, node in functions()
        if path.parts[0] == "api" and is_handler(node) and body_length(node) > CONTROLLER_LINES_MAX
    ]
    assert fat == []


def is_handler(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    verbs = {"get", "post", "put", "patch", "delete"}
    return any(
        isinstance(d, ast.Call) and isinstance(d.func, ast.Name) and d.func.id in verbs
        for d in node.decorator_list
    )


# Viewers of SMART Health Links are others' programs: what a later edition adds must not lock them out.
# RFC 7517 (sections 4 and 5) has unknown members of a key and of a set of keys ignored.
OPEN_ENDED = {"ManifestRequest", "ClientKey", "ClientKeySet"}


@every_handler
def test_a_body_has_no_union_and_no_open_end(handler: HTTPRouteHandler) -> None:
    """Generated clients merge unions into one class; unknown fields are refused (mobile-contract.md §2)."""
    for struct in structs_of(handler):
        for name, annotation in hints(struct).items():
            assert not has_union(annotation), f"{struct.__name__}.{name}"
    body = handler.parsed_fn_signature.parameters.get("data")
    if body is not None:
        assert isinstance(body.kwarg_definition, BodyKwarg)
        for struct in nested(body.annotation):
            open_end = struct.__name__ in OPEN_ENDED
            assert struct.__struct_config__.forbid_unknown_fields != open_end, struct.__name__


def structs_of(handler: HTTPRouteHandler) -> frozenset[type[msgspec.Struct]]:
    found = nested(handler.parsed_fn_signature.return_type.annotation)
    body = handler.parsed_fn_signature.parameters.get("data")
    return found | (nested(body.annotation) if body is not None else frozenset())


@cache
def hints(struct: type[msgspec.Struct]) -> dict[str, Any]:
    return typing.get_type_hints(struct, include_extras=True)


@cache
def nested(annotation: Any) -> frozenset[type[msgspec.Struct]]:
    """Every Struct reachable from an annotation."""
    found: set[type[msgspec.Struct]] = set()
    seen, left = set(), [annotation]
    while left:
        part = left.pop()
        if part in seen:
            continue
        seen.add(part)
        if isinstance(part, type) and issubclass(part, msgspec.Struct):
            found.add(part)
            left += hints(part).values()
        else:
            left += typing.get_args(part)
    return frozenset(found)


def has_union(annotation: Any) -> bool:
    if typing.get_origin(annotation) in (UnionType, typing.Union):
        return len([part for part in typing.get_args(annotation) if part is not NoneType]) > 1
    if typing.get_origin(annotation) is typing.Literal:
        return False
    return any(has_union(part) for part in typing.get_args(annotation))


def test_no_pattern_takes_a_line_end_for_the_end() -> None:
    """`$` matches before a last "\\n" too, and msgspec searches: whatever is typed is held to its end."""
    found = {
        str(path)
        for path, tree in sources().items()
        for node in nodes(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.match(r"\^.*\$\Z", node.value)
        and not node.value.endswith(r"\$")
    }
    # Lines of a migration, and words that are cut at white space before.
    assert found == {"store/migration_files.py", "ehr/dosage/account.py"}, "write $(?!\\n)"


def test_every_problem_speaks_both_languages_and_says_what_next() -> None:
    handlers()  # loads every package
    for code, problem in PROBLEMS.items():
        assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", code)
        assert 400 <= problem.status <= 599
        for text in (problem.vi, problem.en, problem.next_vi, problem.next_en):
            assert text.endswith((".", "?", "!")), code


def test_a_declared_problem_is_documented_on_some_route_or_says_why_not() -> None:
    documented = {problem.code for handler in handlers() for problem in handler.opt.get("problems", ())}
    general = {code for code in PROBLEMS if declared_in_api(code)}
    orphans = set(PROBLEMS) - documented - general - NOT_OVER_HTTP
    assert orphans == set()


# Problems that only commands meet, and those that only pages do, which stand outside the document.
NOT_OVER_HTTP: set[str] = {"database-not-empty", "page-form-stale", "page-form-too-long"}


@cache
def declared_in_api(code: str) -> bool:
    return f'code="{code}"' in (ROOT / "api/problems.py").read_text()
