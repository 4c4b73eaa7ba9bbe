"""What no template, style sheet or script of ours may hold (security.md S33–S35)."""

import re
from pathlib import Path

import pytest

from api.pages.rendering import HERE

TEMPLATES = sorted((HERE / "templates").rglob("*.html"))
# Files from other hands are compared with their packages (test_vendored.py).
OURS = [
    path
    for folder in ("static", "assets")
    for path in sorted((HERE / folder).rglob("*"))
    if path.suffix in (".css", ".js", ".svg", ".webmanifest") and "vendor" not in path.parts
]
# Names of a kind of document, which nobody opens.
NAMES = {"http://www.w3.org/2000/svg", "https://smarthealth.cards#health-card"}
FORBIDDEN = {
    "a value that is not escaped": r"\|\s*safe\b|\{%-?\s*autoescape|Markup\(",
    "a style in a tag": r"\sstyle\s*=",
    "a style in the page": r"<style\b",
    "a handler in a tag": r"<[^>{}]*\son[a-z]+\s*=",
    "an expression for htmx": r"hx-on\b|\bjs:|hx-vars|hx-trigger=\"[^\"]*\[",
    "an address that runs": r"javascript:",
    "a component's raw markup": r"[\"']html[\"']\s*:",
    # WCAG 3.1.2: an English page is read out in English but for what says otherwise (`ui.vi`).
    "Vietnamese that does not say so": r"\{\{ (?!problem\.)[A-Za-z][\w.]*_vi \}\}",
}


def named(paths: list[Path]) -> list[object]:
    return [pytest.param(path, id=path.relative_to(HERE).as_posix()) for path in paths]


@pytest.mark.parametrize("path", named(TEMPLATES))
def test_a_template_escapes_everything_and_holds_no_style_and_no_script(path: Path) -> None:
    text = path.read_text()
    assert [what for what, pattern in FORBIDDEN.items() if re.search(pattern, text)] == []
    scripts = re.findall(r"<script\b([^>]*)>(.*?)</script>", text, re.DOTALL)
    assert all("src=" in tag and not content.strip() for tag, content in scripts)


@pytest.mark.parametrize("path", named([*TEMPLATES, *OURS]))
def test_nothing_of_ours_names_another_place(path: Path) -> None:
    found = set(re.findall(r"https?://[^\s\"'`<>)]+", path.read_text())) - NAMES
    assert found == set()
    assert not re.search(r"(?:src|href|action|url\()\s*=?\s*[\"']?//", path.read_text())


@pytest.mark.parametrize("path", named([one for one in OURS if one.suffix == ".js"]))
def test_a_script_of_ours_makes_no_markup_of_text(path: Path) -> None:
    forbidden = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|\.setHTML"
    assert not re.search(forbidden, path.read_text())


@pytest.mark.parametrize("path", named(sorted((HERE / "static").glob("*.css"))))
def test_a_style_sheet_names_colours_in_the_theme_alone(path: Path) -> None:
    """So that both modes hold everywhere. White stays where a code or a chart is drawn for white."""
    if path.name in ("theme.css", "print.css"):
        return
    found = set(re.findall(r"#[0-9a-fA-F]{3,8}\b(?![^{}]*\{)", path.read_text()))
    assert found <= {"#fff", "#000"}


# What htmx asks a form for; a field of such a name stands in front of it.
TAKEN = r"""(?:\bname="|ui\.field\(")(?:form|action|method|elements|submit|target|enctype)\""""


@pytest.mark.parametrize("path", named(TEMPLATES))
def test_no_field_hides_what_a_form_says_about_itself(path: Path) -> None:
    assert re.findall(TAKEN, path.read_text()) == []
