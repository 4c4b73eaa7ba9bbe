"""`healthbook admin` on articles: shown once a named clinician reviewed them."""

import asyncio
from typing import TYPE_CHECKING

import click

from healthbook.cli_acts import OPERATOR, REASON, as_operator, at_place, or_exit

if TYPE_CHECKING:
    from datetime import datetime

    from healthbook.wiring import Place
    from store.database import Store


@click.command()
def articles() -> None:
    """List the articles, and which are published by whose review."""
    from healthbook.articles import articles_table
    from healthbook.wiring import load_keys, opened_store

    async def run(place: "Place") -> str:
        async with opened_store(place, "hb_api", load_keys(place.settings)) as store:
            return await articles_table(store)

    click.echo(at_place(lambda place: asyncio.run(run(place))))


@click.command(name="article-text")
@click.argument("slug")
def article_text(slug: str) -> None:
    """Print an article for its reviewer, with every stand-in marked."""
    from healthbook.articles import article_text as text

    click.echo(or_exit(lambda: text(slug)))


@click.command(name="review-article")
@click.argument("slug")
@click.argument("digest")
@click.option("--reviewer", required=True, help="The clinician who read the text, by name.")
@click.option("--licence", required=True, help="The clinician's licence number.")
@click.option("--on", "reviewed_on", required=True, type=click.DateTime(["%Y-%m-%d"]), help="When.")
@OPERATOR
@REASON
def review_article(
    slug: str,
    digest: str,
    reviewer: str,
    licence: str,
    reviewed_on: "datetime",
    operator: str | None,
    reason: str | None,
) -> None:
    """Publish the text of SLUG whose DIGEST a clinician reviewed; an edited text waits again."""
    from healthbook.articles import review_article as review

    async def run(store: "Store", signed: tuple[str, str]) -> None:
        await review(store, slug, digest, reviewer, licence, reviewed_on.date(), signed)

    as_operator(run, operator, reason)
    click.echo(f"{slug} is published")


@click.command(name="withdraw-article")
@click.argument("slug")
@OPERATOR
@REASON
def withdraw_article(slug: str, operator: str | None, reason: str | None) -> None:
    """Stop showing SLUG to people."""
    from healthbook.articles import withdraw_article as withdraw

    async def run(store: "Store", signed: tuple[str, str]) -> None:
        await withdraw(store, slug, signed)

    as_operator(run, operator, reason)
    click.echo(f"{slug} is not shown any more")


COMMANDS: tuple[click.Command, ...] = (
    articles,
    article_text,
    review_article,
    withdraw_article,
)
