"""Clients of the document, one a folder beside this file: python make.py [LANGUAGE ...].

Prints a line a language: what was made, and how far it was checked. Exits 1 when one failed.
"""

import json
import sys
import time

import compile as compiler
import generate
import tools


def typescript() -> str:
    compiler.typescript(generate.generated("typescript", tools.PLACE / "typescript"))
    return "compiled (tsc, strict)"


def kotlin() -> str:
    jar = compiler.kotlin(generate.generated("kotlin", tools.PLACE / "kotlin"))
    return f"compiled (Kotlin with kotlinx.serialization and OkHttp): {jar}"


def swift() -> str:
    return read("swift", "Sources")


def dart() -> str:
    return read("dart", "lib")


def read(language: str, folder: str) -> str:
    sources = generate.generated(language, tools.PLACE / language) / folder
    found = json.loads(tools.run([tools.python(), tools.PLACE / "parse.py", language, sources]))
    if found["faults"] or found["unknown"]:
        raise tools.NotMadeError(json.dumps(found, indent=1))
    return f"NOT compiled; {found['files']} files parse, each of {found['types']} types is declared"


LANGUAGES = {"typescript": typescript, "kotlin": kotlin, "swift": swift, "dart": dart}


def main(wanted: list[str]) -> int:
    failed = False
    for language in wanted or LANGUAGES:
        began = time.monotonic()
        try:
            done = LANGUAGES[language]()
        except tools.NotMadeError as error:
            done, failed = f"FAILED\n{error}", True
        sys.stdout.write(f"{language:11}{time.monotonic() - began:4.0f} s  {done}\n")
        sys.stdout.flush()
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
