"""The window fetches from a server and opens what has come."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from brokenservers import Answer, Request, running_fake
from patientstudies import made_study

from necroangle.pacs import servers

pytest.importorskip("dicomweb_client", reason='needs the extra "pacs"')
pytestmark = pytest.mark.screen


def actions(window: Any) -> dict[str, Any]:
    """What the menu offers, by its words."""
    menus = [action.menu() for action in window.menuBar().actions()]
    found = (action for menu in menus for action in menu.actions() if action.text())
    return {action.text().replace("&", "").split("\t")[0]: action for action in found}


def pick_accession(answers: Sequence[str]) -> str:
    return answers[0]


@pytest.mark.parametrize("is_listed", [True, False])
def test_a_study_of_a_server_opens(
    is_listed: bool, dock: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = made_study(tmp_path / "original", "in the window")
    images = tmp_path / "images"
    table = tmp_path / "studies.csv"
    table.write_text(f"accession\n{study.accession}\n", "utf-8")
    names = tmp_path / "names.csv"
    names.write_text(f"patient_id,pseudonym\n{study.patient_id},P-07\n", "utf-8")
    with running_fake(study, lambda _, good: good()) as fake:
        path = fake.named(tmp_path / "servers.toml")
        monkeypatch.setattr(servers, "servers_file", lambda: path)
        dock.dialogs.answer = lambda answers: answers[1 if is_listed else 0]
        dock.dialogs.typed = study.accession
        dock.dialogs.folder = lambda *_: images
        dock.dialogs.study_list = lambda _: table
        dock.dialogs.names_file = lambda *_: names
        actions(dock.window())["Open from server…"].trigger()
    assert dock.workspace.folder == images
    assert len(list(images.rglob("*.dcm"))) == len(study.files)
    assert {visit.subject for visit in dock.workspace.visits} == {"P-07" if is_listed else ""}
    assert "Open from server: How are the patients named?" in dock.dialogs.asked


def test_what_is_not_there_is_said(
    dock: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No file of servers; then a server that refuses every object."""
    study = made_study(tmp_path / "original", "refused in the window", most=2)
    monkeypatch.setattr(servers, "servers_file", lambda: tmp_path / "servers.toml")
    offered = actions(dock.window())["Open from server…"]
    offered.trigger()
    assert "there is no file" in dock.dialogs.asked[-1]

    def behave(request: Request, good: Any) -> Answer:
        return Answer(403) if request.is_object else good()

    with running_fake(study, behave) as fake:
        fake.named(tmp_path / "servers.toml")
        dock.dialogs.answer = pick_accession
        dock.dialogs.typed = study.accession
        dock.dialogs.folder = lambda *_: tmp_path / "images"
        offered.trigger()
    assert "0 of 2 objects are here. does not allow this to you" in dock.dialogs.asked[-1]
    assert dock.workspace.folder is None
    assert not [one for one in study.planted if one in dock.dialogs.asked[-1]]
