"""Every word of the field has its meaning, and every flag stands in the table's columns."""

import ast
import re
from pathlib import Path

import click
from documents import DOCUMENTS, ROOT

from necroangle.cli import cli
from necroangle.measurement.columns import COLUMNS
from necroangle.measurement.indices import INDEX_SOURCES
from necroangle.terms import Flag, View

TIRING = re.compile(
    r"\b(?:(?:is|are|be) told|all is well|roads?|the house|floors?|speaks? (?:of|against)"
    r"|spoken of|for ever|bears? out|moving house|foretell\w*|in vain|(?<!-)anew)\b"
)
"""Words that cost a reader of English as a second language an effort."""


def test_every_flag_says_what_it_means() -> None:
    meanings = [flag.meaning for flag in Flag]
    assert all(meanings)
    assert len(set(meanings)) == len(meanings)


def test_every_flag_may_stand_in_the_table() -> None:
    columns = [column for column in COLUMNS if column.name.endswith("flags")]
    assert [column.name for column in columns] == ["a_flags", "b_flags", "flags"]
    assert all(set(column.allowed) == set(map(str, Flag)) for column in columns)


def test_column_names_suit_every_statistics_program() -> None:
    names = [column.name for column in COLUMNS]
    assert len(set(names)) == len(names)
    assert all(len(name) <= 26 and name.islower() for name in names)


def test_provisional_indices_say_so_in_their_name_and_meaning() -> None:
    provisional = sum(source.provisional for source in INDEX_SOURCES.values())
    marked = [column for column in COLUMNS if "_prov" in column.name]
    assert len(marked) == provisional > 0
    assert all(column.meaning.startswith("provisional: ") for column in marked)


def test_a_view_is_a_or_b() -> None:
    assert [view for view in View if view.is_a] == [View.CORONAL, View.AP]
    assert View.AP.label == "AP"
    assert View.FROG_LEG.label == "frog-leg"


ODD = re.compile(
    r"stands? (?:there )?twice|lies (?:there|here)|(?<!-)\banew\b|\bin vain\b|foretell|\bis told\b"
    r"|\bare told\b|told on|cannot be told|bears? out|look whose|speaks? DICOM|written over"
    r"|refused by name|dead (?:side|share)|bring it back|at hand"
)
"""The same in what the program says: an older word for a plain one."""


def said_by(file: Path) -> list[str]:
    """The texts of a module that are no docstrings, and have several words."""
    tree = ast.parse(file.read_text("utf-8"))
    own = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value
        if id(node) not in own
    ]


def test_messages_use_plain_words() -> None:
    found = [
        (file.name, text)
        for folder in ("necroangle", "plugins")
        for file in (ROOT / folder).rglob("*.py")
        if "migrations" not in file.parts
        for text in said_by(file)
        if ODD.search(text)
    ]
    assert found == []


def test_the_documents_use_plain_words() -> None:
    """English that is read with no effort by those for whom it is a second language."""
    for path in DOCUMENTS:
        text = re.sub(r"`[^`]*`", "", path.read_text("utf-8"))
        assert TIRING.findall(text) == [], path.name


def test_the_commands_use_plain_words() -> None:
    context = click.Context(cli)
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None
        groups = command.commands.values() if isinstance(command, click.Group) else ()
        for one in (command, *groups):
            assert TIRING.findall(one.get_help(click.Context(one))) == [], (name, one.name)
