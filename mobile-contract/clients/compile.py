"""The generated sources through a compiler, where there is one: TypeScript and Kotlin."""

import json
from pathlib import Path

import tools

_OKHTTP = tools.Path("allure-commandline") / "dist" / "plugins" / "jira-plugin" / "lib"


def typescript(sources: Path) -> None:
    """The types, strictly, together with a caller of them (tolerance.ts). Raises NotMadeError."""
    settings = {
        "compilerOptions": {
            "strict": True,
            "noEmit": True,
            "target": "es2022",
            "module": "esnext",
            "moduleResolution": "bundler",
            "types": [],
            "lib": ["es2022", "dom"],
            "typeRoots": [],
            "paths": {
                "service": [str(sources / "service.d.ts")],
                "openapi-fetch": [str(tools.npm() / "openapi-fetch")],
            },
        },
        "files": [str(tools.PLACE / "tolerance.ts"), str(sources / "service.d.ts")],
    }
    (sources / "tsconfig.json").write_text(json.dumps(settings))
    tools.run(["node", tools.npm() / "typescript" / "bin" / "tsc", "-p", sources / "tsconfig.json"])


def kotlin(sources: Path) -> Path:
    """A jar of the sources and of tolerance.kt, which reads with them. Raises NotMadeError."""
    jar = sources / "client.jar"
    jars = tools.kotlin_jars()
    compiler = [
        *jars.glob("kotlin-jupyter-kernel-*-all.jar"),
        *jars.glob("kotlin-stdlib-*.jar"),
        *jars.glob("kotlin-reflect-*.jar"),
        *jars.glob("kotlin-script-runtime-*.jar"),
        *jars.glob("annotations-*.jar"),
    ]
    tools.run(
        [
            *(tools.java(), "-Xmx2g", "-cp", _path(compiler), "org.jetbrains.kotlin.cli.jvm.K2JVMCompiler"),
            *(f"-Xplugin={tools.serialization_plugin()}", "-nowarn", "-no-stdlib", "-no-reflect"),
            *("-cp", _path(_libraries()), "-d", jar),
            *(sources / "src" / "main" / "kotlin", tools.PLACE / "tolerance.kt"),
        ]
    )
    return jar


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
