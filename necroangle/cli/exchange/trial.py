"""``necroangle trial``: a trial's delivery as CDISC SDTM."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from necroangle.cli.given import cohort_option, out_option, told_if_not_written
from necroangle.plain_text import counted

if TYPE_CHECKING:
    from pathlib import Path


@click.command("trial")
@cohort_option
@out_option("Where the files go.", "sdtm")
@click.option("--study", "study_id", metavar="NAME", help="STUDYID.  [default: the study's name]")
@click.option("--reader", "readers", multiple=True, metavar="NAME", help="Only this reader; again.")
@click.option("--method", metavar="NAME", help="Only this measuring method.")
def command(
    cohort: str | None,
    out: Path,
    study_id: str | None,
    readers: tuple[str, ...],
    method: str | None,
) -> None:
    """Write the readings of the cohort as SDTM domains: MK, PR, RELREC, and define.xml.

    Names are pseudonyms and no date leaves, as in every export. A finding that is not there is
    NOT DONE, with the reason.
    """
    from necroangle.analysis.stored import united_readings
    from necroangle.clinical import clinical_tables
    from necroangle.export import ExportSource, build_table
    from necroangle.interop.sdtm import sdtm_domains, write_sdtm
    from necroangle.ledger.store import CohortStore
    from necroangle.moments import utc_now
    from necroangle.protocol.study import NO_STUDY
    from necroangle.study import cohort_here, study_here

    study = study_here()
    protocol = study.protocol if study is not None else NO_STUDY
    with CohortStore.open(cohort_here(cohort), create=False) as store:
        rows, clinical = store.rows(), clinical_tables(store)
        source = ExportSource(rows, clinical, protocol, united_readings(store))
    table = build_table(source, "reading", readers=list(readers), method=method)
    name = study_id or protocol.study or "NECROANGLE"
    domains = sdtm_domains(table, name)
    with told_if_not_written(out):
        files = write_sdtm(domains, out, name, utc_now())
    counts = ", ".join(f"{len(one.rows)} of {one.name}" for one in domains)
    click.echo(f"{counted(len(files), 'file')} in {out}: records {counts}")
