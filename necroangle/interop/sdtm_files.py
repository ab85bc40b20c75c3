"""The files of a trial's delivery: a CSV and a SAS transport file of each domain, and define.xml.

SAS transport files of version 5 are what the FDA takes: names of 8 letters, labels of 40, texts of
200, all ASCII. What does not fit is not cut: the file is not written, and the reason is said.

Sources: Define-XML v2.1; FDA, Study Data Technical Conformance Guide (sections on SAS transport
files and on lengths of names, labels and texts).
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from math import nan
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from necroangle import __version__
from necroangle.errors import CohortError
from necroangle.interop.sdtm import Domain, Variable
from necroangle.storage import write_atomically

_ODM = "http://www.cdisc.org/ns/odm/v1.3"
_DEF = "http://www.cdisc.org/ns/def/v2.1"
_XLINK = "http://www.w3.org/1999/xlink"
_CODED = ("MKTESTCD", "MKSTAT", "MKREASND", "MKLAT", "MKEVAL", "PRTRT", "PRLAT", "RELTYPE")


MOST_NAME, MOST_LABEL, MOST_TEXT = 8, 40, 200
"""Letters of names, labels and texts in a SAS transport file of version 5."""


class Written(NamedTuple):
    """The files that were written, and why others were not."""

    files: tuple[Path, ...]
    refused: tuple[str, ...]


def write_sdtm(domains: Sequence[Domain], folder: Path, study: str, when: str) -> Written:
    """Write each domain as CSV and as a SAS transport file, and define.xml, which describes them.

    Parameters
    ----------
    domains
        Of :func:`necroangle.interop.sdtm.sdtm_domains`.
    folder
        Where; made if it is not there.
    study
        STUDYID.
    when
        When they were made, ``2026-01-31T08:15:00.000Z``.

    Returns
    -------
    Written
        A transport file that cannot hold its domain is not written; define.xml then names the CSV.

    Raises
    ------
    OSError
        If a file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files, refused, named = [], [], {}
    for domain in domains:
        path = folder / f"{domain.name.lower()}.csv"
        write_atomically(path, domain_csv(domain))
        files.append(path)
        named[domain.name] = path.name
        transport = path.with_suffix(".xpt")
        try:
            write_atomically(transport, domain_xpt(domain, when))
        except CohortError as error:
            transport.unlink(missing_ok=True)
            refused.append(str(error))
        else:
            files.append(transport)
            named[domain.name] = transport.name
    path = folder / "define.xml"
    write_atomically(path, define_xml(domains, study, when, named))
    return Written((*files, path), tuple(dict.fromkeys(refused)))


def domain_csv(domain: Domain) -> bytes:
    """The records as CSV: UTF-8, comma and dot."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([one.name for one in domain.variables])
    for row in domain.rows:
        writer.writerow([row.get(one.name, "") for one in domain.variables])
    return stream.getvalue().encode()


def domain_xpt(domain: Domain, when: str) -> bytes:
    """The records as a SAS transport file of version 5; the same records give the same bytes.

    Raises
    ------
    CohortError
        If pyreadstat is not installed, or a name, a label or a text does not fit.
    """
    problem = next(_unfit(domain), None)
    if problem is not None:
        raise CohortError(f"{domain.name.lower()}.xpt: {problem}")
    from necroangle.export.statistics_files import transport_file

    columns: dict[str, list[str] | list[float]] = {}
    for one in domain.variables:
        values = [row.get(one.name, "") for row in domain.rows]
        if one.is_number:
            columns[one.name] = [nan if value == "" else float(value) for value in values]
        else:
            columns[one.name] = [str(value) for value in values]
    labels = {one.name: one.label for one in domain.variables}
    stamp = datetime.fromisoformat(when)
    return transport_file(columns, labels, name=domain.name, label=domain.label, stamp=stamp)


def _unfit(domain: Domain) -> Iterator[str]:
    """What a transport file cannot hold: where, what, and what to do."""
    for one in domain.variables:
        if len(one.name) > MOST_NAME or len(one.label) > MOST_LABEL:
            yield f"{one.name}: a name of more than 8 or a label of more than 40 letters"
    for number, row in enumerate(domain.rows, start=1):
        for one in domain.variables:
            text = str(row.get(one.name, ""))
            if not text.isascii() or not (text.isprintable() or not text):
                yield (
                    f"{one.name}, record {number}: letters that are no ASCII, and SAS transport "
                    "files hold no other; the CSV holds them. Give subjects, visits and readers "
                    "names in ASCII"
                )
            if len(text) > MOST_TEXT:
                yield f"{one.name}, record {number}: {len(text)} letters, at most {MOST_TEXT} fit"


def define_xml(domains: Sequence[Domain], study: str, when: str, named: Mapping[str, str]) -> bytes:
    """Define-XML 2.1 of the domains: datasets, variables, and the words of coded ones.

    ``named`` gives the file of each domain.
    """
    for prefix, space in (("", _ODM), ("def", _DEF), ("xlink", _XLINK)):
        ElementTree.register_namespace(prefix, space)
    top = ElementTree.Element(
        f"{{{_ODM}}}ODM",
        {
            "ODMVersion": "1.3.2",
            "FileType": "Snapshot",
            "FileOID": f"DEFINE.{study}",
            "CreationDateTime": when,
            f"{{{_DEF}}}Context": "Submission",
        },
    )
    about = _below(top, "Study", OID=f"STUDY.{study}")
    words = _below(about, "GlobalVariables")
    for name, text in (
        ("StudyName", study),
        ("StudyDescription", "Combined necrotic angle of the femoral head"),
        ("ProtocolName", study),
    ):
        _below(words, name).text = text
    version = _below(about, "MetaDataVersion", OID="MDV.1", Name=f"necroangle {__version__}")
    version.set(f"{{{_DEF}}}DefineVersion", "2.1.0")
    _standards(version)
    coded = {one: _words_of(domains, one) for one in _CODED}
    for domain in domains:
        _item_group(version, domain)
    for domain in domains:
        for variable in domain.variables:
            _item(version, domain, variable, coded.get(variable.name, ()))
    for name, found in coded.items():
        if found:
            listed = _below(version, "CodeList", OID=f"CL.{name}", Name=name, DataType="text")
            for word in found:
                _below(listed, "EnumeratedItem", CodedValue=word)
    for domain in domains:
        leaf = ElementTree.SubElement(version, f"{{{_DEF}}}leaf", {"ID": f"LF.{domain.name}"})
        leaf.set(f"{{{_XLINK}}}href", named[domain.name])
        ElementTree.SubElement(leaf, f"{{{_DEF}}}title").text = named[domain.name]
    ElementTree.indent(top, " ")
    content: bytes = ElementTree.tostring(top, encoding="utf-8", xml_declaration=True)
    return content + b"\n"


def _below(parent: ElementTree.Element, name: str, **attributes: str) -> ElementTree.Element:
    return ElementTree.SubElement(parent, f"{{{_ODM}}}{name}", attributes)


def _standards(version: ElementTree.Element) -> None:
    listed = ElementTree.SubElement(version, f"{{{_DEF}}}Standards")
    attributes = {"OID": "STD.1", "Name": "SDTMIG", "Type": "IG", "Version": "3.4"}
    ElementTree.SubElement(listed, f"{{{_DEF}}}Standard", {**attributes, "Status": "Final"})


def _described(parent: ElementTree.Element, words: str) -> None:
    text = _below(_below(parent, "Description"), "TranslatedText")
    text.set("{http://www.w3.org/XML/1998/namespace}lang", "en")
    text.text = words


def _item_group(version: ElementTree.Element, domain: Domain) -> None:
    group = _below(
        version,
        "ItemGroupDef",
        OID=f"IG.{domain.name}",
        Domain=domain.name,
        Name=domain.name,
        Repeating="Yes",
        IsReferenceData="No",
        SASDatasetName=domain.name,
        Purpose="Tabulation",
    )
    group.set(f"{{{_DEF}}}Structure", domain.structure)
    group.set(f"{{{_DEF}}}StandardOID", "STD.1")
    group.set(f"{{{_DEF}}}ArchiveLocationID", f"LF.{domain.name}")
    _described(group, domain.label)
    for number, variable in enumerate(domain.variables, start=1):
        _below(
            group,
            "ItemRef",
            ItemOID=f"IT.{domain.name}.{variable.name}",
            OrderNumber=str(number),
            Mandatory="Yes" if variable.role in ("Identifier", "Topic") else "No",
            Role=variable.role,
        )


def _item(
    version: ElementTree.Element, domain: Domain, variable: Variable, coded: Sequence[str]
) -> None:
    values = [row.get(variable.name, "") for row in domain.rows]
    longest = max((len(str(value)) for value in values), default=1)
    is_whole = all(
        isinstance(value, int) or str(value).isdecimal() for value in values if value != ""
    )
    number = "integer" if is_whole else "float"
    kind = {"DataType": number if variable.is_number else "text"}
    item = _below(
        version,
        "ItemDef",
        OID=f"IT.{domain.name}.{variable.name}",
        Name=variable.name,
        SASFieldName=variable.name,
        Length=str(max(longest, 1)),
        **kind,
    )
    _described(item, variable.label)
    if coded:
        _below(item, "CodeListRef", CodeListOID=f"CL.{variable.name}")


def _words_of(domains: Sequence[Domain], name: str) -> tuple[str, ...]:
    found = {str(row[name]) for domain in domains for row in domain.rows if row.get(name)}
    return tuple(sorted(found))
