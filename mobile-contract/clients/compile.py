"""The generated sources through a compiler, where there is one: TypeScript and Kotlin."""

import hashlib
import json
import os
import re
from pathlib import Path

import tools

_OKHTTP = tools.Path("allure-commandline") / "dist" / "plugins" / "jira-plugin" / "lib"
# What decides, beside the sources, what the compiler makes.
_MAKERS = (Path(__file__), tools.PLACE / "tools.lock", tools.PLACE / "package-lock.json")


def typescript(sources: Path) -> Path:
    """A folder of modules, made strictly of the types and of a caller of them (tolerance.ts).
    Raises NotMadeError."""
    built = sources / "built"
    settings = {
        "compilerOptions": {
            "strict": True,
            "outDir": str(built),
            "target": "es2022",
            "module": "esnext",
            "moduleResolution": "bundler",
            "types": [],
            "lib": ["es2022", "dom"],
            "rootDirs": [str(tools.PLACE), str(sources)],
            "typeRoots": [],
            "paths": {
                "service": [str(sources / "service.d.ts")],
                "openapi-fetch": [str(tools.npm() / "openapi-fetch")],
            },
        },
        "files": [
            str(tools.PLACE / "tolerance.ts"),
            str(sources / "service.d.ts"),
            str(sources / "payloads.ts"),
        ],
    }
    (sources / "tsconfig.json").write_text(json.dumps(settings))
    tools.run(["node", tools.npm() / "typescript" / "bin" / "tsc", "-p", sources / "tsconfig.json"])
    (built / "package.json").write_text('{"type": "module"}')
    return built


def kotlin(sources: Path, *, whole: bool = True) -> Path:
    """A jar of the sources and of tolerance.kt, which reads with them; the one that was made of the same
    sources before, if there is one. Not whole: of those alone that tolerance.kt reaches, for the whole takes
    minutes. Raises NotMadeError."""
    caller = tools.PLACE / "tolerance.kt"
    folder = sources / "src" / "main" / "kotlin"
    texts = sorted({caller, *folder.rglob("*.kt")} if whole else _reached(caller, folder))
    digest = hashlib.sha256(b"".join(text.read_bytes() for text in (*texts, *_MAKERS))).hexdigest()[:16]
    jar = tools.cache() / f"kotlin-{digest}.jar"
    if not jar.exists():
        making = jar.with_suffix(f".{os.getpid()}.jar")
        tools.run(_kotlin_compiler(texts, making), timeout=1800)
        making.rename(jar)
    return jar


def _reached(caller: Path, folder: Path) -> set[Path]:
    """The caller, the infrastructure of the client, and every model that one of them imports."""
    client = folder / "healthbook" / "client"
    found: set[Path] = set()
    waiting = [caller, *(client / "infrastructure").glob("*.kt")]
    while waiting:
        found.add(place := waiting.pop())
        names = re.findall(r"^import healthbook\.client\.models\.(\w+)", place.read_text(), re.MULTILINE)
        waiting.extend({client / "models" / f"{name}.kt" for name in names} - found)
    return found


def _kotlin_compiler(texts: list[Path], jar: Path) -> list[str | Path]:
    jars = tools.kotlin_jars()
    compiler = [
        *jars.glob("kotlin-jupyter-kernel-*-all.jar"),
        *jars.glob("kotlin-stdlib-*.jar"),
        *jars.glob("kotlin-reflect-*.jar"),
        *jars.glob("kotlin-script-runtime-*.jar"),
        *jars.glob("annotations-*.jar"),
    ]
    return [
        # One compilation: what the second compiler of the runtime would win is less than what it costs.
        *(tools.java(), "-Xmx2g", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"),
        *("-cp", _path(compiler), "org.jetbrains.kotlin.cli.jvm.K2JVMCompiler", "-Xno-optimize"),
        *(f"-Xplugin={tools.serialization_plugin()}", "-nowarn", "-no-stdlib", "-no-reflect"),
        *("-cp", _path(_libraries()), "-d", jar, *texts),
    ]


def run_kotlin(jar: Path, verb: str, *, text: str = "") -> str:
    """What the main function of tolerance.kt prints for this text."""
    command = [tools.java(), "-cp", _path([jar, *_libraries()]), "ToleranceKt", verb]
    return tools.run(command, text=text, timeout=60)


def _libraries() -> list[Path]:
    jars, okhttp = tools.kotlin_jars(), tools.npm() / _OKHTTP
    return [
        *okhttp.glob("okhttp-jvm-*.jar"),
        *okhttp.glob("okio-jvm-*.jar"),
        *jars.glob("kotlinx-serialization-*.jar"),
        *jars.glob("kotlin-stdlib-*.jar"),
        *jars.glob("kotlin-reflect-*.jar"),
    ]


def _path(jars: list[Path]) -> str:
    return ":".join(map(str, jars))
