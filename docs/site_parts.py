"""What the site says of the code, written from the code itself when the site is built.

A line ``<!-- generated: NAME -->`` in a page stands for one of :data:`PARTS`. The pages of the
Python interface are written to ``docs/reference/api``, one a package.
"""

import ast
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NewType

import click

import necroangle
from necroangle import errors

API = Path(__file__).resolve().parent / "reference" / "api"
PLACE = "<!-- generated: {} -->"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A table in Markdown."""
    yield f"| {' | '.join(heads)} |"
    yield f"|{' --- |' * len(heads)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
    yield ""


def code(*words: object) -> str:
    """Words as they are typed, with commas between."""
    return ", ".join(f"`{word}`" for word in words)


# ---- commands ----------------------------------------------------------------------------------


def commands() -> Iterator[str]:
    """Every command with its options, as click has them."""
    from necroangle.cli import cli

    context = click.Context(cli, info_name="necroangle")
    for name in cli.list_commands(context):
        if (command := cli.get_command(context, name)) is not None:
            yield from command_page(command, name, context, "##")


def command_page(
    command: click.Command, name: str, parent: click.Context, level: str
) -> Iterator[str]:
    """One command, and the commands below it."""
    context = click.Context(command, info_name=name, parent=parent)
    yield f"{level} {name}\n"
    yield f"{help_of(command)}\n"
    pieces = " ".join(command.collect_usage_pieces(context))
    yield f"```text\n{context.command_path} {pieces}\n```\n"
    records = [
        record
        for parameter in command.get_params(context)
        if isinstance(parameter, click.Option)
        and (record := parameter.get_help_record(context)) is not None
    ]
    if records:
        yield from table(
            ("option", "what it does"),
            ((code(option.replace(" / ", ", ")), plain(text)) for option, text in records),
        )
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            if (found := command.get_command(context, below)) is not None:
                yield from command_page(found, below, context, f"{level}#")


def help_of(command: click.Command) -> str:
    """The text of a command, its fixed lines as they stand."""
    paragraphs = inspect.cleandoc(command.help or "").split("\n\n")
    return "\n\n".join(
        f"```text\n{text.removeprefix(chr(8)).strip(chr(10))}\n```"
        if text.startswith("\b")
        else plain(" ".join(text.split()))
        for text in paragraphs
    )


def plain(text: str) -> str:
    """A text whose signs are not those of Markdown."""
    for sign in "\\*_[]<>":
        text = text.replace(sign, f"\\{sign}")
    return text


# ---- table and words ---------------------------------------------------------------------------


def columns() -> Iterator[str]:
    """Every column of the cohort table."""
    from necroangle.measurement.columns import COLUMNS

    need = {"key": "part of the key", "always": "never empty", "maybe": "may be empty"}
    rows = (
        (
            f"`{column.name}`",
            column.kind,
            column.unit,
            plain(column.meaning),
            "the flags below" if column.name.endswith("flags") else code(*column.allowed),
            need[column.need],
        )
        for column in COLUMNS
    )
    yield from table(("column", "kind", "unit", "meaning", "values", "empty?"), rows)


def flags() -> Iterator[str]:
    """Every doubt, with what it means."""
    from necroangle.terms import Flag

    yield from table(("flag", "meaning"), ((f"`{flag}`", plain(flag.meaning)) for flag in Flag))


def entries() -> Iterator[str]:
    """Every field that a reader or the clinic may enter."""
    from necroangle.entries import FIELDS, KEYS

    for kind in dict.fromkeys(field.kind for field in FIELDS):
        yield f"## {kind}\n"
        if kind in KEYS:
            yield f"Key: {code(*KEYS[kind])}.\n"
        rows = (
            (
                f"`{field.name}`",
                plain(field.label),
                field.unit,
                code(*field.values),
                plain(field.source),
            )
            for field in FIELDS
            if field.kind == kind
        )
        yield from table(("field", "label", "unit", "values", "source"), rows)


# ---- messages ----------------------------------------------------------------------------------


def refusals() -> Iterator[str]:
    """Every message of an error that necroangle raises, by package."""
    root = Path(necroangle.__path__[0])
    found: dict[str, set[str]] = {}
    for file in sorted(root.rglob("*.py")):
        package = file.relative_to(root).parts[0].removesuffix(".py")
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and _is_refusal(node.func):
                words = next(filter(None, map(message, node.args)), "")
                if words.strip("… :"):
                    found.setdefault(package, set()).add(words)
    for package, messages in found.items():
        yield f"## {package}\n"
        yield from (f"- {plain(words)}" for words in sorted(messages, key=str.lower))
        yield ""


def _is_refusal(function: ast.expr) -> bool:
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return name in (
        *errors.__all__,
        "UsageError",
        "ClickException",
        "BadParameter",
        "refuse",
        "failed",
    )


def message(node: ast.expr) -> str:
    """A text of the code, with … for what is put in; empty where it is no text.

    Examples
    --------
    >>> message(ast.parse('f"row {number}: no such " + "side"', mode="eval").body)
    'row …: no such side'
    """
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(message(part) or "…" for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return (message(node.left) or "…") + (message(node.right) or "…")
    return ""


# ---- Python ------------------------------------------------------------------------------------


NOT_FOR_OTHERS = {
    "__main__",
    "cli",
    "decoding",
    "demo",
    "extras",
    "face",
    "moments",
    "plain_text",
    "silence",
    "storage",
}


def packages() -> list[str]:
    """Modules of the core that say what they offer to others."""
    below = (module.name for module in pkgutil.iter_modules(necroangle.__path__))
    names = (f"necroangle.{name}" for name in below if name not in NOT_FOR_OTHERS)
    return ["necroangle", *(name for name in names if hasattr(import_module(name), "__all__"))]


def owner(thing: object, name: str) -> str:
    """The package on whose page a thing stands: the first below the top that offers it."""
    for package in packages()[1:]:
        module = import_module(package)
        if any(getattr(module, word) is thing for word in module.__all__):
            return package
    return name


def api() -> Iterator[str]:
    """A list of all packages and, of each, what it offers; the pages themselves."""
    for name in packages():
        yield f"## {name}\n"
        yield f"{first_line(import_module(name))} {{doc}}`In full <api/{name}>`.\n"
        yield from table(("name", "what it is", "gives"), offered(name))
    yield "```{toctree}\n:hidden:\n"
    yield from (f"api/{name}" for name in packages())
    yield "```"


def offered(name: str) -> Iterator[tuple[str, str, str]]:
    """Name, first line and kind or result of what a package offers."""
    module = import_module(name)
    for word in sorted(module.__all__, key=str.lower):
        thing: Any = getattr(module, word)
        link = f"{{py:obj}}`{word} <{owner(thing, name)}.{word}>`"
        if inspect.isclass(thing):
            yield link, plain(first_line(thing)), "class"
        elif inspect.isroutine(thing):
            yield link, plain(first_line(thing)), f"`{result_of(thing)}`"
        elif isinstance(thing, NewType):
            yield link, plain(first_line(thing)), f"`{result_of(thing.__supertype__)}`"
        else:
            yield f"`{word}`", "", f"`{type(thing).__name__}`"


def result_of(thing: Any) -> str:
    """What a function gives, or a type, without the modules of its parts."""
    result = inspect.signature(thing).return_annotation if inspect.isroutine(thing) else thing
    return re.sub(r"[\w.]+\.(?=\w)", "", inspect.formatannotation(result))


def first_line(thing: object) -> str:
    """The first line of its docstring."""
    return (inspect.getdoc(thing) or "").split("\n\n")[0].replace("\n", " ")


def write_api() -> None:
    """The page of every package."""
    API.mkdir(exist_ok=True)
    wanted = {f"{name}.rst": api_page(name) for name in packages()}
    for old in API.iterdir():
        if old.name not in wanted:
            old.unlink()
    for file, text in wanted.items():
        path = API / file
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")


def api_page(name: str) -> str:
    """The page of one package."""
    module = import_module(name)
    others = [word for word in module.__all__ if owner(getattr(module, word), name) != name]
    left_out = f"   :exclude-members: {', '.join(others)}\n" if others else ""
    return f"{name}\n{'=' * len(name)}\n\n.. automodule:: {name}\n   :members:\n{left_out}"


PARTS: dict[str, Callable[[], Iterator[str]]] = {
    "api": api,
    "columns": columns,
    "commands": commands,
    "entries": entries,
    "flags": flags,
    "refusals": refusals,
}


def fill(text: str) -> str:
    """A page with its generated parts."""
    for name, part in PARTS.items():
        if PLACE.format(name) in text:
            text = text.replace(PLACE.format(name), "\n".join(part()))
    return text


def generated_pages(app: Any, *_: Any) -> list[str]:
    """Pages with a generated part: made anew each time, for the code may have changed."""
    env = app.builder.env
    paths = ((name, Path(env.doc2path(name))) for name in env.found_docs)
    return [name for name, path in paths if "<!-- generated: " in path.read_text("utf-8")]


def keep_sentence(_app: Any, what: str, *rest: Any) -> None:
    """Keep a docstring like "The radius: mm." from being taken for a type and its meaning."""
    lines: list[str] = rest[-1]
    if what in ("attribute", "data", "property") and lines:
        lines[:0] = ["..", ""]


def setup(app: Any) -> dict[str, bool]:
    """What Sphinx calls."""
    app.connect("builder-inited", lambda _: write_api())
    app.connect("env-get-outdated", generated_pages)
    app.connect("autodoc-process-docstring", keep_sentence, priority=100)
    app.connect("source-read", lambda _, __, source: source.__setitem__(0, fill(source[0])))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
