"""``necroangle trial``: a trial's delivery as CDISC SDTM."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from necroangle.cli.given import cohort_option, out_option, told_if_not_written
from necroangle.cli.screen import say
from necroangle.plain_text import counted

if TYPE_CHECKING:
    from pathlib import Path


@click.command("trial")
@cohort_option
@out_option("Where the files go.", "sdtm")
@click.option("--study", "study_id", metavar="NAME", help="STUDYID.  [default: the study's name]")
@click.option("--reader", "readers", multiple=True, metavar="NAME", help="Only these readers.")
@click.option("--method", metavar="NAME", help="Only this measuring method.")
@click.pass_context
def command(
    context: click.Context,
    cohort: str | None,
    out: Path,
    study_id: str | None,
    readers: tuple[str, ...],
    method: str | None,
) -> None:
    """Write the readings of the cohort as SDTM domains: MK, PR, RELREC, and define.xml.

    Each domain is a CSV and a SAS transport file of version 5 (`.xpt`). Names are pseudonyms and no
    date leaves, as in every export. A finding that is not there is NOT DONE, with the reason.
    Exit code: 1 where a transport file cannot hold a text, else 0.
    """
    from necroangle.analysis.courses import analysis_set
    from necroangle.analysis.stored import united_readings
    from necroangle.clinical import clinical_tables
    from necroangle.export import ExportSource, build_table
    from necroangle.interop.sdtm import operations_of, sdtm_domains
    from necroangle.interop.sdtm_files import write_sdtm
    from necroangle.ledger.store import CohortStore
    from necroangle.moments import utc_now
    from necroangle.protocol.study import NO_STUDY
    from necroangle.study import cohort_here, study_here

    study = study_here()
    protocol = study.protocol if study is not None else NO_STUDY
    with CohortStore.open(cohort_here(cohort), create=False) as store:
        rows, clinical = store.rows(), clinical_tables(store)
        united = united_readings(store)
    source = ExportSource(rows, clinical, protocol, united)
    table = build_table(source, "reading", readers=list(readers), method=method)
    name = study_id or protocol.study or "NECROANGLE"
    courses = analysis_set([], clinical, protocol, with_changes=False).courses
    domains = sdtm_domains(table, name, operations_of(clinical.get("treatment", ()), courses))
    with told_if_not_written(out):
        written = write_sdtm(domains, out, name, utc_now())
    counts = ", ".join(f"{len(one.rows)} of {one.name}" for one in domains)
    say(f"{counted(len(written.files), 'file')} in {out}: records {counts}")
    for problem in written.refused:
        say(f"not written  {problem}", err=True)
    context.exit(1 if written.refused else 0)
