"""Files from other hands are what their packages hold, changed only by the step that is written down."""

import re

from tests.support import vendored
from tests.support.npm import installed


def test_they_are_what_the_step_makes_of_their_packages() -> None:
    made = vendored.derived(installed(vendored.PLACE) / "node_modules")
    wrong = [name for name, content in made.items() if (vendored.STATIC / name).read_bytes() != content]
    assert wrong == [], "make them anew: PYTHONPATH=openapi python -m tests.support.vendored"


def test_the_step_names_every_colour_once_and_no_other_place() -> None:
    source = (
        "@font-face{font-family:Frutiger W01;src:url(https://elsewhere.example/x.woff2)}"
        ".a{color:#fff;background-color:#fff;border:2px solid #005eb8}"
        ".a:focus{color:#212b32;background-color:#ffeb3b}"
        '.b{background:url(/assets/images/x.svg) no-repeat;content:"a;b"}'
        ".nhsuk-tag--blue{color:#004281}"
        "/*# sourceMappingURL=x.css.map */"
    )
    assert vendored.styles(source) == (
        ".a{color:var(--on-strong);background-color:var(--surface);border:2px solid var(--link)}"
        ".a:focus{color:var(--focus-ink);background-color:var(--focus)}"
        '.b{content:"a;b"}'
        ".nhsuk-tag--blue{color:#004281}\n"
    )


def test_every_colour_has_a_value_in_both_modes() -> None:
    theme = (vendored.STATIC / "theme.css").read_text()
    light, dark, by_system, _focus, _on_paper = (
        dict(re.findall(r"(--[a-z-]+): ([^;]+);", block)) for block in re.findall(r"\{([^{}]*)\}", theme)
    )
    assert dark == by_system
    assert set(light) == set(dark)
    sheets = [path.read_text() for path in sorted(vendored.STATIC.rglob("*.css"))]
    for sheet in sheets:
        # A sheet may name a size for itself.
        its_own = set(re.findall(r"(--[a-z-]+): [\d.]+rem", sheet))
        assert set(re.findall(r"var\((--[a-z-]+)", sheet)) <= set(light) | its_own


def test_each_library_has_its_licence_beside_it() -> None:
    for name in (
        "vendor/htmx.LICENSE",
        "vendor/nhsuk-frontend.LICENSE",
        "vendor/qr/LICENSE-MIT",
        "fonts/OFL.txt",
    ):
        assert len((vendored.STATIC / name).read_text()) > 300, name


def test_no_file_from_other_hands_is_there_that_the_step_did_not_make() -> None:
    made = {*vendored.SCRIPTS, *vendored.LICENCES, *(name for name, _ in vendored.fonts())}
    made |= {
        f"vendor/{name}"
        for name in ("nhsuk-frontend.min.css", "nhsuk-frontend.LICENSE", "be-vietnam-pro.css")
    }
    places = (vendored.STATIC / "vendor", vendored.STATIC / "fonts")
    found = {
        path.relative_to(vendored.STATIC) for place in places for path in place.rglob("*") if path.is_file()
    }
    assert {path.as_posix() for path in found} == made
