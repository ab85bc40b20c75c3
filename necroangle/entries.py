"""Every clinical field, once: importer, editor, exporters and codebook follow this list.

Five kinds of record, each with its key: a subject, a hip, a treatment, a visit, an event.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from necroangle.terms import ArcoStage, JicType, Laterality

__all__ = [
    "FIELDS",
    "KEYS",
    "KINDS",
    "KINDS_OF_EVENT",
    "LATERALITIES",
    "MISSING_SUFFIX",
    "REASONS",
    "Field",
    "FieldType",
    "Kind",
    "field_named",
    "fields_of",
    "missing_name",
]

Kind = Literal["subject", "hip", "treatment", "visit", "event"]
FieldType = Literal["text", "whole", "real", "date"]

KEYS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "subject": ("subject",),
        "hip": ("subject", "laterality"),
        "treatment": ("subject", "laterality", "number"),
        "visit": ("subject", "laterality", "visit"),
        "event": ("subject", "laterality", "event", "number"),
    }
)
"""Names of each kind's key parts. An event or treatment is numbered from "1"."""

KINDS = tuple(KEYS)
REASONS = ("not applicable", "not readable", "not done")
"""Why a value is missing; stands in ``<name>_missing`` beside the empty value."""

MISSING_SUFFIX = "_missing"


@dataclass(frozen=True, slots=True)
class Field:
    """One clinical field.

    Attributes
    ----------
    kind, name
        Where it belongs. ``[a-z][a-z0-9_]{0,25}``: what every statistics program takes.
    type
        ``"text"``, ``"whole"`` (integer), ``"real"``, or ``"date"`` (text, ``2026-01-31``).
    unit
        Unit of a number, or nothing.
    label
        A few words for tables and for people's column headings.
    values
        Codes that are allowed, as text, and what each means; empty where it is free.
    low, high
        Allowed range of a number, both included; None where it is open.
    meaning
        One sentence for the codebook.
    private
        A date: never leaves the study as it is.

    Examples
    --------
    >>> field_named("visit", "arco").values["3A"]
    'subchondral fracture or flattening, depression up to 2 mm'
    >>> field_named("visit", "vsa")
    Traceback (most recent call last):
    ...
    KeyError: 'visit.vsa'
    """

    kind: Kind
    name: str
    type: FieldType
    label: str
    meaning: str
    unit: str = ""
    values: Mapping[str, str] = field(default_factory=dict, hash=False)
    low: float | None = None
    high: float | None = None
    private: bool = False

    @property
    def path(self) -> str:
        """``kind.name``: how mappings name it."""
        return f"{self.kind}.{self.name}"


def missing_name(name: str) -> str:
    """Where the reason stands why a field is empty.

    Examples
    --------
    >>> missing_name("vas")
    'vas_missing'
    """
    return name + MISSING_SUFFIX


def _codes(**meanings: str) -> Mapping[str, str]:
    return MappingProxyType(meanings)


_NO_YES = MappingProxyType({"0": "no", "1": "yes"})
_ARCO = MappingProxyType(
    {
        str(ArcoStage.STAGE_1): "radiograph normal, MRI abnormal",
        str(ArcoStage.STAGE_2): "radiograph abnormal, no fracture or flattening",
        str(ArcoStage.STAGE_3A): "subchondral fracture or flattening, depression up to 2 mm",
        str(ArcoStage.STAGE_3B): "subchondral fracture or flattening, depression above 2 mm",
        str(ArcoStage.STAGE_4): "osteoarthritis",
    }
)
_JIC = MappingProxyType(
    {
        str(JicType.A): "medial third of the weight-bearing portion or less",
        str(JicType.B): "medial two thirds or less",
        str(JicType.C1): "more than two thirds, not beyond the acetabular edge",
        str(JicType.C2): "more than two thirds, beyond the acetabular edge",
    }
)
_FICAT = MappingProxyType({str(stage): f"stage {stage}" for stage in range(5)})
LATERALITIES = MappingProxyType({str(Laterality.LEFT): "left", str(Laterality.RIGHT): "right"})
KINDS_OF_EVENT = _codes(
    collapse="collapse of the head",
    radiographic_failure="radiographic failure",
    tha="total hip arthroplasty",
    lost="lost to follow-up",
    death="death",
)
_AETIOLOGIES = _codes(
    steroid="glucocorticoid-associated",
    alcohol="alcohol-associated",
    both="glucocorticoids and alcohol",
    idiopathic="idiopathic",
    trauma="after trauma",
    other="other",
)
_TREATMENTS = _codes(
    core_decompression="core decompression",
    core_decompression_msc="core decompression with stromal cells",
    osteotomy="osteotomy",
    conservative="conservative",
    other="other",
)


def _subject() -> tuple[Field, ...]:
    def real(name: str, label: str, meaning: str, unit: str, high: float) -> Field:
        return Field("subject", name, "real", label, meaning, unit, low=0, high=high)

    def yes(name: str, label: str, meaning: str) -> Field:
        return Field("subject", name, "whole", label, meaning, values=_NO_YES)

    return (
        Field("subject", "sex", "text", "Sex", "sex", values=_codes(M="male", F="female")),
        real("age_at_index_years", "Age at index", "age at the index date", "years", 120),
        Field("subject", "bmi_kg_m2", "real", "BMI", "body mass index", "kg/m2", low=8, high=100),
        Field("subject", "aetiology", "text", "Aetiology", "cause as coded", values=_AETIOLOGIES),
        real("prednisone_equivalent_g", "Prednisone equivalent", "dose taken", "g", 500),
        real("prednisone_weeks", "Weeks of prednisone", "weeks it was taken over", "weeks", 5000),
        real(
            "steroid_stopped_months",
            "Months since steroids",
            "from the end of glucocorticoids to the diagnosis; 0 where still taken",
            "months",
            1200,
        ),
        real("alcohol_ml_week", "Alcohol per week", "pure alcohol a week", "mL/week", 10000),
        real("alcohol_months", "Months of alcohol", "how long so much was drunk", "months", 1200),
        real(
            "alcohol_stopped_months",
            "Months since alcohol",
            "from the end of such drinking to the diagnosis; 0 where it goes on",
            "months",
            1200,
        ),
        yes("other_risk_factor", "Other risk factor", "another known risk factor of necrosis"),
        yes("smoking", "Smoking", "smokes at the index date"),
        Field(
            "subject", "index_date", "date", "Index date", "day that time counts from", private=True
        ),
    )


def _hip() -> tuple[Field, ...]:
    return (
        Field("hip", "treatment_date", "date", "Treatment date", "day of treatment", private=True),
        Field("hip", "bilateral", "whole", "Bilateral", "both hips have necrosis", values=_NO_YES),
        Field("hip", "index_visit", "text", "Index visit", "visit that later ones compare with"),
    )


def _treatment() -> tuple[Field, ...]:
    return (
        Field("treatment", "treatment", "text", "Treatment", "what was done", values=_TREATMENTS),
        Field(
            "treatment", "cell_dose", "real", "Cell dose", "cells given", "cells", low=0, high=1e12
        ),
        Field(
            "treatment", "cell_passage", "whole", "Passage", "passage of the cells", low=0, high=50
        ),
        Field(
            "treatment",
            "cell_viability_pct",
            "real",
            "Viability",
            "living share of the cells",
            "%",
            low=0,
            high=100,
        ),
        Field(
            "treatment",
            "treatment_date",
            "date",
            "Treatment date",
            "day of this treatment",
            private=True,
        ),
    )


def _visit() -> tuple[Field, ...]:
    def score(name: str, label: str, meaning: str, high: float) -> Field:
        return Field("visit", name, "real", label, meaning, "points", low=0, high=high)

    return (
        Field("visit", "visit_date", "date", "Visit date", "day of the visit", private=True),
        Field("visit", "arco", "text", "ARCO stage", "ARCO stage, 2019 revision", values=_ARCO),
        Field("visit", "jic", "text", "JIC type", "JIC type, 2001", values=_JIC),
        Field("visit", "ficat", "text", "Ficat stage", "Ficat-Arlet stage", values=_FICAT),
        score("vas", "VAS", "pain on the visual analogue scale, 0 to vas_scale", 100),
        Field(
            "visit",
            "vas_scale",
            "whole",
            "VAS scale",
            "largest value of the pain scale",
            values=MappingProxyType({"10": "0 to 10", "100": "0 to 100"}),
        ),
        score("hhs", "Harris Hip Score", "Harris Hip Score, total", 100),
        score("hhs_pain", "HHS pain", "Harris Hip Score, pain", 44),
        score("hhs_function", "HHS function", "Harris Hip Score, function", 47),
        score("hhs_deformity", "HHS deformity", "Harris Hip Score, absence of deformity", 4),
        score("hhs_rom", "HHS motion", "Harris Hip Score, range of motion", 5),
        score("womac", "WOMAC", "WOMAC total, 0 best", 96),
    )


def _event() -> tuple[Field, ...]:
    return (
        Field("event", "event_date", "date", "Event date", "day of the event", private=True),
        Field("event", "rule", "text", "Rule", "rule by which the event was called"),
        Field("event", "note", "text", "Note", "free words, never a patient's identity"),
    )


FIELDS = (*_subject(), *_hip(), *_treatment(), *_visit(), *_event())
"""Every field, in the order of tables."""

_BY_PATH = MappingProxyType({one.path: one for one in FIELDS})
_BY_KIND = MappingProxyType(
    {kind: tuple(one for one in FIELDS if one.kind == kind) for kind in KINDS}
)


def fields_of(kind: str) -> tuple[Field, ...]:
    """The fields of a kind, in order.

    Examples
    --------
    >>> [field.name for field in fields_of("hip")]
    ['treatment_date', 'bilateral', 'index_visit']
    """
    return _BY_KIND[kind]


def field_named(kind: str, name: str) -> Field:
    """The field of a kind.

    Raises
    ------
    KeyError
        If there is none.
    """
    return _BY_PATH[f"{kind}.{name}"]
