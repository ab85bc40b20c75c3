"""A reader's own keys: taken from their file, heard, shown, and refused with a reason."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from napari_necroangle.__main__ import main
from napari_necroangle.help.overlay import keys_html
from napari_necroangle.reading.keys import (
    KEYS,
    key_label,
    keys_as_toml,
    keys_in_use,
    use_keys,
    with_own,
)
from napari_necroangle.store.readings import own_keys_path, take_own_keys

from necroangle.errors import ReadingError


@pytest.fixture(autouse=True)
def _table() -> Iterator[None]:
    yield
    use_keys(KEYS)


@pytest.fixture
def own(request: pytest.FixtureRequest) -> Path:
    """The file of keys, with a save key of the reader's own."""
    path = own_keys_path()
    path.parent.mkdir(parents=True)
    path.write_text(
        '[keys]\nsave = ["F2", "ctrl+s"]\nflattened = "Alt+F"\ngo_on = "PageDown"\n'
        'next_hip = "Shift+PageDown"\n'
    )
    return path


def keys_for(name: str) -> list[str]:
    return [one.key for one in keys_in_use() if one.name == name]


def test_own_keys_take_the_place_of_the_commands_own_and_all_others_stay(own: Path) -> None:
    take_own_keys()
    assert keys_for("save") == ["F2", "Control-S"]
    assert keys_for("flattened") == ["Alt-F"]
    named = {"save", "flattened", "go_on", "next_hip"}
    rest = [one for one in KEYS if one.name not in named]
    assert [one for one in keys_in_use() if one.name not in named] == rest
    assert (key_label("save"), key_label("go_on")) == ("F2", "Page↓")
    assert "F2 or Ctrl+S" in keys_html(13)
    own.unlink()
    take_own_keys()
    assert keys_in_use() == KEYS


def test_every_key_stands_on_the_sheet() -> None:
    """Also where a command has two."""
    sheet = keys_html(13)
    for one in KEYS:
        label = next(part for part in one.key.split("-")[::-1])
        shown = {"PageDown": "Page↓", "PageUp": "Page↑", "Up": "↑", "Down": "↓"}.get(label, label)
        assert shown in sheet, one
    for both in ("S or Ctrl+S", "Delete or Backspace", "H or F1", "Ctrl+Shift+Z or Ctrl+Y"):
        assert f"<b>{both}</b>" in sheet


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('save = "F"', r"F is the key of 'flattened' \(head flattened\) and is given to 'save'"),
        ('save = "F2"\nundo = "f2"', r"F2 is the key of 'save' .* and is given to 'undo'"),
        ('sav = "F2"', r"there is no command 'sav'; did you mean 'save'\?"),
        ('xyzzy = "F2"', r"there is no command 'xyzzy'; `necroangle read --keys` lists them"),
        ('save = "Ctlr+S"', r"'Ctlr\+S' is no key"),
        ('save = "§"', r"'§' is no key"),
        ('save = ""', r"'' is no key"),
        ('save = "Shift+1"', r"Shift with this key types another sign"),
        ('save = "space"', r"Space pans the picture"),
        ('save = "Ctrl+Escape"', r"Escape closes a dialog"),
        ('save = "Ctrl+O"', r"Ctrl\+O opens a folder, and can be no other"),
        ("save = []", r"'save' needs a key"),
        ("save = 3", r"\$\.keys\.save: Expected"),
        ("save = ", r"Invalid value"),
    ],
)
def test_what_is_no_table_of_keys_is_refused_with_its_reason(text: str, problem: str) -> None:
    with pytest.raises(ReadingError, match=problem) as told:
        with_own(f"[keys]\n{text}\n".encode())
    assert str(told.value).startswith("keys.toml: ")


def test_a_table_of_another_name_is_refused() -> None:
    with pytest.raises(ReadingError, match="unknown field `key`"):
        with_own(b'[key]\nsave = "F2"\n')


def test_what_the_command_lists_is_a_file_of_keys_and_says_where_it_goes(own: Path) -> None:
    text = own.read_text()
    own.unlink()
    listed = CliRunner().invoke(main, ["--keys"])
    assert (listed.exit_code, "not there yet" in listed.output) == (0, True)
    assert str(own) in listed.output.splitlines()[0]
    assert with_own(listed.output.encode()) == KEYS
    own.write_text(text)
    listed = CliRunner().invoke(main, ["--keys"])
    assert "not there yet" not in listed.output
    assert with_own(listed.output.encode()) == keys_in_use() != KEYS
    assert keys_as_toml() in listed.output


def test_a_file_that_is_refused_is_said_before_anything_opens(own: Path) -> None:
    own.write_text('[keys]\nsave = "F"\n')
    told = CliRunner().invoke(main, [])
    assert told.exit_code == 2
    assert "keys.toml: F is the key of 'flattened'" in told.output
    assert keys_in_use() == KEYS


@pytest.mark.screen
def test_the_canvas_hears_them_and_not_the_keys_that_they_replace(own: Path, qtbot: Any) -> None:
    from napari_necroangle.canvas.mouse import key_of
    from qtpy.QtCore import QEvent, Qt
    from qtpy.QtGui import QKeyEvent

    def heard(key: Any, held: Any = Qt.KeyboardModifier.NoModifier) -> str:
        return key_of(QKeyEvent(QEvent.Type.KeyPress, key, held))

    assert (heard(Qt.Key.Key_S), heard(Qt.Key.Key_F2)) == ("save", "")
    take_own_keys()
    assert (heard(Qt.Key.Key_S), heard(Qt.Key.Key_F2)) == ("", "save")
    assert heard(Qt.Key.Key_F, Qt.KeyboardModifier.AltModifier) == "flattened"
    assert heard(Qt.Key.Key_PageDown, Qt.KeyboardModifier.ShiftModifier) == "next_hip"
    assert (heard(Qt.Key.Key_PageDown), heard(Qt.Key.Key_Return)) == ("go_on", "")
