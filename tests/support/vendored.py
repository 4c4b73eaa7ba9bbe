"""What pages carry with them from other hands, derived from the npm packages of `tests/browser`.

    python -m tests.support.vendored        writes the files under api/pages/static anew

A style sheet that names its colours once can be light and dark: each colour of nhsuk-frontend becomes one
of the custom properties of `theme.css`. Its font is not ours to use, and its pictures lie where we have none.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.support.npm import installed

ROOT: Final = Path(__file__).parents[2]
PLACE: Final = ROOT / "tests" / "browser"
STATIC: Final = ROOT / "api" / "pages" / "static"
FONT: Final = "@fontsource/be-vietnam-pro"
SCRIPTS: Final = {
    "vendor/htmx.min.js": "htmx.org/dist/htmx.min.js",
    "vendor/qr/index.js": "qr/index.js",
    "vendor/qr/decode.js": "qr/decode.js",
}
STYLES: Final = "nhsuk-frontend/dist/nhsuk/nhsuk-frontend.min.css"
LICENCES: Final = {
    "vendor/htmx.LICENSE": "htmx.org/LICENSE",
    "vendor/qr/LICENSE-MIT": "qr/LICENSE-MIT",
    "fonts/OFL.txt": f"{FONT}/LICENSE",
}
SUBSETS: Final = ("vietnamese", "latin-ext", "latin")
WEIGHTS: Final = ("400", "600", "700")

# A colour by where it stands: of text, of an area, of a line.
COLOURS: Final[dict[str, tuple[str, str, str]]] = {
    "#212b32": ("ink", "ink", "ink"),
    "#fff": ("on-strong", "surface", "surface"),
    "#ffeb3b": ("focus", "focus", "focus"),
    "#005eb8": ("link", "brand", "link"),
    "#d8dde0": ("line", "outside", "line"),
    "#d5281b": ("bad", "warning-button", "bad"),
    "#4c6272": ("soft", "soft", "input-line"),
    "#aeb7bd": ("line-strong", "line-strong", "line-strong"),
    "#768692": ("line-strong", "line-strong", "line-strong"),
    "#002f5c": ("link-active", "brand-darker", "brand-darker"),
    "#7c2855": ("link-hover", "link-hover", "link-hover"),
    "#330072": ("link-visited", "link-visited", "link-visited"),
    "#007f3b": ("good", "button", "good"),
    "#00662f": ("button-hover", "button-hover", "button-hover"),
    "#00401e": ("button-active", "button-active", "button-active"),
    "#f0f4f5": ("ground", "ground", "line"),
    "#c7dcef": ("on-brand-soft", "tint-strong", "tint-strong"),
    "#d9e7f4": ("tint", "tint", "tint"),
    "#edf4fa": ("tint", "tint", "tint"),
    "#e0e4e6": ("hover", "hover", "hover"),
    "#004b93": ("brand-dark", "brand-dark", "brand-dark"),
    "#003d78": ("brand-darker", "brand-darker", "brand-darker"),
    "#00478a": ("brand-dark", "brand-dark", "brand-dark"),
    "#0055a6": ("brand-dark", "brand-dark", "brand-dark"),
    "#003087": ("link-active", "brand-darker", "brand-darker"),
    "#337ec6": ("brand-line", "brand-line", "brand-line"),
    "#aa2016": ("warning-button-hover", "warning-button-hover", "warning-button-hover"),
    "#951c13": ("bad", "bad", "bad"),
    "#6b140e": ("warning-button-active", "warning-button-active", "warning-button-active"),
    "#fff9c4": ("callout", "callout", "callout"),
    "rgba(33,43,50,.99)": ("ink", "ink", "ink"),
    "rgba(0,0,0,.99)": ("ink", "ink", "ink"),
}
# A tag keeps the pair of pale ground and deep letters that it has.
KEPT: Final = re.compile(r"\.nhsuk-tag--")
BLOCK: Final = re.compile(r"([^{}]*)\{([^{}]*)\}")
ONE_COLOUR: Final = re.compile(r"#[0-9a-f]{3,8}\b|rgba\([^)]*\)")


def styles(source: str) -> str:
    """nhsuk-frontend's style sheet with our colours and our font, asking for no other file."""
    source = re.sub(r"@font-face\{[^}]*\}|/\*# sourceMappingURL=[^*]*\*/", "", source)
    source = BLOCK.sub(_block, source).replace("Frutiger W01,arial", "Be Vietnam Pro,arial")
    return source.strip() + "\n"


def _block(found: re.Match[str]) -> str:
    selector, body = found.groups()
    if KEPT.search(selector):
        return found[0]
    on_yellow = "background-color:#ffeb3b" in body
    focused = on_yellow or ":focus" in selector.replace(":not(:focus)", "")
    kept = [_declaration(one, focused=focused) for one in _declarations(body) if _is_ours(one)]
    return f"{selector}{{{';'.join(kept)}}}"


def _declarations(body: str) -> list[str]:
    """Split at the semicolons that stand in no bracket and no quotes."""
    return re.findall(r"""(?:[^;("']|\([^)]*\)|"[^"]*"|'[^']*')+""", body)


def _is_ours(declaration: str) -> bool:
    return "/assets/" not in declaration and not re.match(r"--nhsuk-[a-z0-9-]*colour:", declaration)


def _declaration(text: str, *, focused: bool) -> str:
    name, _, value = text.partition(":")
    where = 0 if name in ("color", "fill") else 1 if name.startswith("background") else 2
    if "url(" in value:
        return text

    def named(found: re.Match[str]) -> str:
        names = COLOURS.get(found[0])
        if names is None:
            return found[0]
        return f"var(--{'focus-ink' if focused and names[where] == 'ink' else names[where]})"

    return f"{name}:{ONE_COLOUR.sub(named, value)}"


def fonts() -> Iterator[tuple[str, str]]:
    """Each font file of ours and where it lies in the package."""
    for subset in SUBSETS:
        for weight in WEIGHTS:
            name = f"be-vietnam-pro-{subset}-{weight}-normal.woff2"
            yield f"fonts/{name}", f"{FONT}/files/{name}"


def faces(packages: Path) -> str:
    """The @font-face rules, with the package's own ranges of characters."""
    found = []
    for weight in WEIGHTS:
        sheet = (packages / FONT / f"{weight}.css").read_text()
        for subset in SUBSETS:
            rule = re.search(
                rf"/\* be-vietnam-pro-{subset}-{weight}-normal \*/\s*@font-face \{{.*?\}}", sheet, re.DOTALL
            )
            assert rule, (subset, weight)
            text = re.sub(r", url\([^)]*\.woff\) format\('woff'\)", "", rule[0])
            found.append(text.replace("url(./files/", "url(../fonts/"))
    return "\n".join(found) + "\n"


def derived(packages: Path) -> dict[str, bytes]:
    """Every file from other hands under static/, as it is to be. packages: a node_modules directory."""
    copied = {**SCRIPTS, **LICENCES, **dict(fonts())}
    made = {name: (packages / source).read_bytes() for name, source in copied.items()}
    made["vendor/nhsuk-frontend.min.css"] = styles((packages / STYLES).read_text()).encode()
    made["vendor/be-vietnam-pro.css"] = faces(packages).encode()
    return made


def main() -> None:
    for name, content in derived(installed(PLACE) / "node_modules").items():
        (STATIC / name).parent.mkdir(parents=True, exist_ok=True)
        (STATIC / name).write_bytes(content)


if __name__ == "__main__":
    main()
