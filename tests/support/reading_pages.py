"""What every page of a book's reader has to keep, whatever it shows."""

from collections.abc import Iterable

from tests.support.crawling import page_routes, template_of
from tests.support.pages import Page


def assert_inert(page: Page) -> None:
    """Every element is of our templates: none came out of a text of the record (security.md S35)."""
    assert page.status == 200
    for one in page.tree.iter():
        if not isinstance(one.tag, str):
            continue
        assert not [name for name in one.attrib if name.startswith("on") or name == "style"], one.tag
        assert not (one.get("hx-get") or "").startswith("/v1"), one.tag
    scripts = [one.get("src") or "" for one in page.tree.iter("script")]
    assert all(one.startswith("/static/") for one in scripts)
    pictures = [one.get("src", "") for one in page.tree.iter("img")]
    assert all(one.startswith(("data:", "/static/")) for one in pictures)


def dead_ends(page: Page) -> list[str]:
    """Addresses of ours that a page leads to and that no route answers."""
    routes = page_routes()
    ours = (one.partition("#")[0] for one in page.links() if one.startswith("/") and one != "/")
    return [one for one in ours if one and not one.startswith("/static/") and not template_of(one, routes)]


def telling(pages: Iterable[Page], *words: str) -> list[str]:
    """Words of a record that stand in a title or in an address of a link or form (security.md S34)."""
    said = []
    for page in pages:
        title = page.tree.findtext(".//title") or ""
        actions = [one.get("action") or "" for one in page.tree.iter("form")]
        said += [word for word in words for text in (title, *page.links(), *actions) if word in text]
    return said


def alike_buttons(page: Page) -> list[str]:
    """Words that several buttons of a page share, to somebody who does not see what stands around them."""
    said = [" ".join(one.text_content().split()) for one in page.tree.iter("button")]
    return sorted({words for words in said if words and said.count(words) > 1})
