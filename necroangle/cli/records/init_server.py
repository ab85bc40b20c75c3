"""``necroangle init-server``: a cohort on PostgreSQL with roles."""

from __future__ import annotations

import click

from necroangle.cli.screen import say

_PEOPLE = {
    "readers": "A reader: writes and sees their own readings alone.",
    "coordinators": "A coordinator: enters, withdraws, exports.",
    "statisticians": "A statistician: reads only; treatments are hidden.",
}


def _people(command: click.Command) -> click.Command:
    for name, text in reversed(_PEOPLE.items()):
        option = click.Option(
            [f"--{name[:-1]}", name], multiple=True, metavar="USER", help=f"{text} Again for more."
        )
        command.params.insert(1, option)
    return command


@_people
@click.command("init-server")
@click.argument("url")
def command(
    url: str,
    readers: tuple[str, ...],
    coordinators: tuple[str, ...],
    statisticians: tuple[str, ...],
) -> None:
    """Make the tables of a cohort at URL, three roles, and users in them.

    URL is that of the database's owner, who may make roles. What each role may see and write is
    refused by the server itself. A reader's user has the name that stands in the readings. Users
    that are new have no password yet: give each one (psql, `ALTER ROLE kim PASSWORD`).
    """
    from necroangle.errors import CohortError
    from necroangle.ledger.store import CohortStore

    if "://" not in url:
        raise click.UsageError("URL is a database's: postgresql+psycopg://owner@server/onfh")
    store = CohortStore.open(url)
    people = {"reader": readers, "coordinator": coordinators, "statistician": statisticians}
    twice = list(set(readers) & {*coordinators, *statisticians})
    twice += set(coordinators) & set(statisticians)
    if twice:
        raise CohortError(f"{min(twice)}: one role for each user")
    made = store.make_roles(people)
    say(f"{store.name}: roles reader, coordinator, statistician")
    for name in made:
        say(f"made: {name}, without a password")
