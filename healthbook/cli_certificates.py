"""`healthbook certificates`: keys, issue, checks. Each file of commands adds its own to this group."""

import click


@click.group()
def certificates() -> None:
    """Vaccination certificates: their keys, issue and verification."""
