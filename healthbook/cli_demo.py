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


REQUESTS = ("GET", "POST", "PUT", "PATCH", "DELETE")
VERBS = (*REQUESTS, "sign", "save", "approve", "read-back", "totp", "connect", "redeem")


@click.command(name="as")
@click.argument("who")
@click.argument("verb", type=click.Choice(VERBS))
@click.argument("target", required=False)
@click.argument("body", required=False)
@click.option("--for", "book", help="Whose book: a person of the sheet or a patient_id (X-Patient-Id).")
@click.option("--file", type=click.Path(exists=True, dir_okay=False), help="The body, of any size.")
@click.option("--type", "media_type", help="What the file is, where its ending does not tell.")
@click.option("--key", help="Idempotency-Key: a repeat of the request does nothing more.")
@click.option("--digits", help="approve: the six digits of the doctor's screen (tier B).")
@click.option("--qr", help="approve: the text of the doctor's code (tier A).")
@click.option("--hours", type=int, help="approve: for how long at most.")
@click.option("--types", help="approve: only these types, with commas between.")
@click.option("--labels", help="approve: these sensitive labels too, with commas between.")
@click.option("--assent", is_flag=True, help="approve --for a child: the child agrees.")
def as_(who: str, verb: str, target: str | None, body: str | None, **choice: Any) -> None:
    """Use the running demo by hand, as WHO of its sheet: one request, or a phone's act.

    `sign` is a request that the phone signs: the address says which act it is, and what it must name is
    fetched. `totp` prints what an authenticator shows. A partner or an app asks to be let in by `connect`,
    and `redeem` takes the address that the browser came back to. Exit 1: the service refuses; 2: nothing
    was asked.

    \b
    healthbook as hung GET /v1/me/summary
    healthbook as bs.nam POST /v1/doctor/access-requests '{"subject": {...}}'
    healthbook as hung approve REQUEST_ID --digits 123456 --hours 24
    healthbook as hung sign /v1/me/share-links '{"label": "Bác sĩ ở Pháp"}'
    healthbook as huong GET /v1/me/summary --for bao-anh
    healthbook as hung read-back 'SSK1:...'
    healthbook as hung save /v1/me/exports/book.pdf so.pdf
    healthbook as dd.mua POST '/v1/facility/programmes/reports?…' --file thang-11.csv
    healthbook as bs.thu totp
    healthbook as doi-tac connect history,summary --for hung
    """
    from healthbook.demo_acts import HandError
    from healthbook.demo_hand import act

    if body is not None and choice["file"]:
        fail("A body is given as text or by --file, not both.")
    if target is None and verb != "totp":
        fail(f"{verb} needs an address or an id.")
    try:
        done = act(settings_or_exit(), who, verb, target or "", body, choice)
    except HandError as error:
        fail(str(error))
    click.echo(done.text)
    if done.is_refused:
        raise SystemExit(1)
