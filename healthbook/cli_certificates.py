"""`healthbook certificates`: keys, issue, checks. Each file of commands adds its own to this group."""

import click

from healthbook import cli_certificate_issue, cli_certificate_keys


@click.group()
def certificates() -> None:
    """Vaccination certificates: their keys, issue and verification."""


for command in (*cli_certificate_keys.COMMANDS, *cli_certificate_issue.COMMANDS):
    certificates.add_command(command)
