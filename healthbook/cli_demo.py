"""A demo is made, and used by hand."""

from typing import Any

import click

from healthbook.cli_acts import fail, or_exit, settings_or_exit


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print people and secrets as JSON.")
@click.option("--if-empty", is_flag=True, help="Do nothing where a database is there already.")
def demo(as_json: bool, if_empty: bool) -> None:
    """Make a demo: invented people, facilities and records, in an empty data directory only."""
    settings = settings_or_exit()
    if if_empty and not settings.is_new:
        return
    from healthbook.demo import make_demo

    or_exit(lambda: make_demo(settings, as_json=as_json))


@click.command(name="as")
@click.argument("who")
@click.argument("verb", type=click.Choice(["GET", "POST", "PUT", "DELETE", "save", "approve", "read-back"]))
@click.argument("target")
@click.argument("body", required=False)
@click.option("--digits", help="approve: the six digits of the doctor's screen (tier B).")
@click.option("--qr", help="approve: the text of the doctor's code (tier A).")
@click.option("--hours", type=int, help="approve: for how long at most.")
@click.option("--types", help="approve: only these types, with commas between.")
def as_(who: str, verb: str, target: str, body: str | None, **choice: Any) -> None:
    """Use the running demo by hand, as WHO of its sheet: one request, or a phone's act.

    \b
    healthbook as hung GET /v1/me/summary
    healthbook as bs.nam POST /v1/doctor/access-requests '{"subject": {...}}'
    healthbook as hung approve REQUEST_ID --digits 123456 --hours 24
    healthbook as hung read-back 'SSK1:...'
    healthbook as hung save /v1/me/exports/book.pdf so.pdf
    """
    from healthbook.demo_hand import HandError, act

    try:
        click.echo(act(settings_or_exit(), who, verb, target, body, choice))
    except HandError as error:
        fail(str(error))
