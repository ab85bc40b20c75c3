"""All that a reader or the clinic may enter, once: the registry of entries.

Reading file, reading window, importer, editor, ledger, history, exports and codebook follow the
fields declared here. Five kinds of record take them, each with its key: a subject, a hip, a
treatment, a visit (of one hip), an event. What a reader enters belongs to the visit of the hip
that was read, or to one view of it: such a field stands twice, for the A view and the B view.

Words and codes are fixed for ever, so that files of two years can be put together: a new word takes
a new code, and no code is ever given again. ARCO 3A is 31 and ARCO 4 is 40, so that no code can be
taken for another stage.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal

from necroangle.terms import ArcoStage, JicType

__all__ = [
    "CLINICAL_FIELDS",
    "FIELDS",
    "HARRIS_ITEMS",
    "KEYS",
    "KINDS",
    "KINDS_OF_EVENT",
    "LATERALITIES",
    "MISSING_SUFFIX",
    "NO_YES",
    "READ_FIELDS",
    "REASONS",
    "Choice",
    "CodeSet",
    "Entered",
    "Field",
    "FieldType",
    "Kind",
    "field_named",
    "fields_of",
    "missing_name",
    "read_field",
]

Entered = str | int | float
"""What may stand in an entry."""

Kind = Literal["subject", "hip", "treatment", "visit", "event", "view"]
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
class Choice:
    """One value of a list.

    Attributes
    ----------
    word
        What stands in files, database and mappings.
    code
        What stands for it in statistics programs.
    label
        Its value label there, and its name for people.
    meaning
        One line for the codebook; the label where there is no more to say.
    aliases
        Other words by which an imported table may name it, in any case.
    """

    word: str
    code: int
    label: str
    meaning: str = ""
    aliases: tuple[str, ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """All that names it in an imported table, in lower case."""
        return frozenset(
            one.casefold() for one in (self.word, self.label, self.meaning, *self.aliases) if one
        )


@dataclass(frozen=True, slots=True)
class CodeSet:
    """A list of values.

    Attributes
    ----------
    choices
        The values, in the order in which they are offered; a rising order where it is ordered.
    is_ordered
        Whether the order means something.
    is_staged
        Whether the values are stages, which tables spell in many ways: ``IIIA``, ``stage 3 a``.
    codes, meanings
        Code and meaning of every word.

    Examples
    --------
    >>> CodeSet((Choice("L", 1, "left"), Choice("R", 2, "right"))).values
    ((1, 'left'), (2, 'right'))
    """

    choices: tuple[Choice, ...]
    is_ordered: bool = False
    is_staged: bool = False
    codes: Mapping[str, int] = field(init=False, compare=False, repr=False)
    meanings: Mapping[str, str] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        codes = {one.word: one.code for one in self.choices}
        meanings = {one.word: one.meaning or one.label for one in self.choices}
        object.__setattr__(self, "codes", MappingProxyType(codes))
        object.__setattr__(self, "meanings", MappingProxyType(meanings))

    def __iter__(self) -> Iterator[str]:
        """The words, in order."""
        return iter(self.codes)

    @property
    def values(self) -> tuple[tuple[int, str], ...]:
        """(code, label), by code."""
        return tuple(sorted((one.code, one.label) for one in self.choices))

    @property
    def measure(self) -> Literal["nominal", "ordinal"]:
        """The measurement level of SPSS."""
        return "ordinal" if self.is_ordered else "nominal"

    def label(self, word: str) -> str:
        """Label of a word for people."""
        return next(one.label for one in self.choices if one.word == word)

    def named(self, text: str) -> Choice | None:
        """The value that a text names: by its word, its label, its meaning or an alias.

        Examples
        --------
        >>> [_ARCO.named(text).word for text in ("ARCO 2", "IIIa", "stage 3 b", "Ⅳ期", "３Ａ")]
        ['2', '3A', '3B', '4', '3A']
        """
        wanted = text.casefold()
        found = next((one for one in self.choices if wanted in one.names), None)
        if found is not None or not self.is_staged:
            return found
        plain = _plain_stage(text)
        return next((one for one in self.choices if _plain_stage(one.word) == plain), None)


_STAGE_WORDS = re.compile(
    "arco|jic|ficat|arlet|steinberg|association research circulation osseous|stages?|stadium"
    "|grade?|grad|types?|typ|stad|st(?![a-z])|단계|병기|분류|기|期|型|형|ステージ|病期|タイプ|分期"
)
_ROMAN = {"iv": "4", "vi": "6", "iii": "3", "ii": "2", "i": "1", "v": "5"}


def _plain_stage(text: str) -> str:
    """A stage without the words and marks around it, its Roman number as a digit."""
    plain = _STAGE_WORDS.sub("", unicodedata.normalize("NFKC", text).casefold())
    plain = re.sub(r"[\s.,:;_()\[\]/-]+", "", plain)
    roman = re.match("iv|vi|iii|ii|i|v", plain)
    return plain if roman is None else _ROMAN[roman[0]] + plain[roman.end() :]


@dataclass(frozen=True, slots=True)
class Field:
    """One field that is entered.

    Attributes
    ----------
    kind, name
        Where it belongs: a kind of record, or a view of a reading. ``[a-z][a-z0-9_]{0,25}``: what
        every statistics program takes.
    type
        ``"text"``, ``"whole"`` (integer), ``"real"``, or ``"date"`` (text, ``2026-01-31``).
    label
        A few words for tables, for the reading window, and for people's column headings.
    meaning
        One sentence for the codebook.
    unit
        Unit of a number, or nothing.
    choices
        Values that are allowed; None where it is free. Words of a whole number are its digits.
    low, high
        Allowed range of a number, both included; None where it is open.
    private
        A date: never leaves the study as it is.
    by
        Who enters it: the reader of the images (it stands in the reading file, and has a column
        beside the angles), the clinic (it stands in the record), or both.
    source
        Where its rule is published: a DOI, else a PubMed number.
    aliases
        Further headings by which an imported table may name it.

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
    choices: CodeSet | None = None
    low: float | None = None
    high: float | None = None
    private: bool = False
    by: Literal["reader", "clinic", "both"] = "clinic"
    source: str = ""
    aliases: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """``kind.name``: how mappings name it."""
        return f"{self.kind}.{self.name}"

    @property
    def values(self) -> Mapping[str, str]:
        """Words that are allowed, and what each means; empty where it is free."""
        return self.choices.meanings if self.choices is not None else _ANYTHING

    @property
    def export_name(self) -> str:
        """Name of the reader's own entry in an export: the clinic's takes the plain one."""
        return f"{self.name}_read" if self.by == "both" else self.name

    def of_views(self) -> tuple["Field", ...]:
        """A field of a view as one field for each of the two views; any other as it is.

        Examples
        --------
        >>> oedema = Field("view", "oedema", "whole", "Oedema", "oedema", choices=NO_YES)
        >>> [(one.name, one.label) for one in oedema.of_views()]
        [('a_oedema', 'A view: Oedema'), ('b_oedema', 'B view: Oedema')]
        """
        if self.kind != "view":
            return (self,)
        return tuple(
            replace(self, name=f"{side}_{self.name}", label=f"{side.upper()} view: {self.label}")
            for side in ("a", "b")
        )


def missing_name(name: str) -> str:
    """Where the reason stands why a field is empty.

    Examples
    --------
    >>> missing_name("vas")
    'vas_missing'
    """
    return name + MISSING_SUFFIX


_ANYTHING: Mapping[str, str] = MappingProxyType({})


def _list(*choices: Choice) -> CodeSet:
    return CodeSet(choices)


def _stages(system: str, *stages: tuple[str, int, str, tuple[str, ...]]) -> CodeSet:
    """Stages that rise, each named ``"ARCO 3A"``: word, code, meaning and other words."""
    return CodeSet(
        tuple(
            Choice(str(word), code, f"{system} {word}", meaning, (f"stage {word}", *aliases))
            for word, code, meaning, aliases in stages
        ),
        is_ordered=True,
        is_staged=True,
    )


def _points(*values: tuple[int, str]) -> CodeSet:
    """Points of a score: the number is word and code."""
    return CodeSet(
        tuple(Choice(str(points), points, label) for points, label in values), is_ordered=True
    )


def _words(text: str) -> tuple[str, ...]:
    """Words of other tables and languages, parted by bars."""
    return tuple(text.split("|"))


NO_YES = _list(
    Choice("0", 0, "no", "", _words("n|negative|nein|아니오|없음|무|음성|いいえ|なし|無|否|无")),
    Choice("1", 1, "yes", "", _words("y|positive|ja|예|네|있음|유|양성|はい|あり|有|是")),
)
_LEFT = "lt|lt.|links|li|li.|left hip|left side|linke hüfte|좌|좌측|좌측 고관절|왼쪽"
_RIGHT = "rt|rt.|rechts|re|re.|right hip|right side|rechte hüfte|우|우측|우측 고관절|오른쪽"
LATERALITIES = _list(
    Choice("L", 1, "left", "", _words(f"{_LEFT}|左|左側|左侧|左股|左股関節|左髋|左髖|左腿")),
    Choice("R", 2, "right", "", _words(f"{_RIGHT}|右|右側|右侧|右股|右股関節|右髋|右髖|右腿")),
)
KINDS_OF_EVENT = _list(
    Choice("collapse", 1, "collapse of the head"),
    Choice("radiographic_failure", 2, "radiographic failure"),
    Choice("tha", 3, "total hip arthroplasty"),
    Choice("lost", 4, "lost to follow-up"),
    Choice("death", 5, "death"),
)
"""What may become of a hip; the kind of an event is a part of its key."""

_SEXES = _list(
    Choice("M", 1, "male", "", _words("m.|man|남|남자|남성|男|男性|männlich")),
    Choice("F", 2, "female", "", _words("f.|w|woman|여|여자|여성|女|女性|weiblich")),
)
_OTHER = _words("others|andere|sonstige|기타|その他|其他")
_AETIOLOGIES = _list(
    Choice(
        "steroid",
        1,
        "glucocorticoid-associated",
        "",
        _words(
            "steroids|corticosteroid|glucocorticoid|cortison|kortison|스테로이드|스테로이드성"
            "|ステロイド|ステロイド性|激素|激素性"
        ),
    ),
    Choice(
        "alcohol",
        2,
        "alcohol-associated",
        "",
        _words(
            "ethanol|alcoholic|alkohol|음주|알코올|알코올성|アルコール|アルコール性|酒精|酒精性"
        ),
    ),
    Choice(
        "both",
        3,
        "glucocorticoids and alcohol",
        "",
        _words("steroid and alcohol|steroid+alcohol|스테로이드+음주"),
    ),
    Choice("idiopathic", 4, "idiopathic", "", _words("idiopathisch|특발성|원인불명|特発性|特发性")),
    Choice(
        "trauma",
        5,
        "after trauma",
        "",
        _words("traumatic|posttraumatic|posttraumatisch|외상|외상성|外傷|外傷性|外伤|创伤性"),
    ),
    Choice("other", 6, "other", "", _OTHER),
)
_TREATMENTS = _list(
    Choice(
        "core_decompression",
        1,
        "core decompression",
        "",
        _words("cd|감압술|骨穿孔術|髓芯减压|髓芯减压术|anbohrung|hüftkopfanbohrung"),
    ),
    Choice(
        "core_decompression_msc",
        2,
        "core decompression with stromal cells",
        "",
        _words("cd+msc|cd + msc|cd msc|감압술+줄기세포"),
    ),
    Choice("osteotomy", 3, "osteotomy", "", _words("osteotomie|절골술|骨切り術|截骨术")),
    Choice(
        "conservative",
        4,
        "conservative",
        "",
        _words("observation|konservativ|보존적|보존 치료|保存療法|保守治疗"),
    ),
    Choice("other", 5, "other", "", _OTHER),
)
_VAS_SCALES = _list(Choice("10", 10, "0 to 10"), Choice("100", 100, "0 to 100"))
_ARCO = _stages(
    "ARCO",
    (ArcoStage.STAGE_1, 10, "radiograph normal, MRI abnormal", ("I",)),
    (ArcoStage.STAGE_2, 20, "radiograph abnormal, no fracture or flattening", ("II",)),
    (
        ArcoStage.STAGE_3A,
        31,
        "subchondral fracture or flattening, depression up to 2 mm",
        ("IIIA",),
    ),
    (
        ArcoStage.STAGE_3B,
        32,
        "subchondral fracture or flattening, depression above 2 mm",
        ("IIIB",),
    ),
    (ArcoStage.STAGE_4, 40, "osteoarthritis", ("IV",)),
)
_JIC_TYPES = CodeSet(
    tuple(
        Choice(str(word), code, f"type {word}", meaning)
        for word, code, meaning in (
            (JicType.A, 1, "medial third of the weight-bearing portion or less"),
            (JicType.B, 2, "medial two thirds or less"),
            (JicType.C1, 3, "more than two thirds, not beyond the acetabular edge"),
            (JicType.C2, 4, "more than two thirds, beyond the acetabular edge"),
        )
    ),
    is_ordered=True,
    is_staged=True,
)
_JIC_STAGES = _stages(
    "JIC",
    ("1", 10, "radiograph normal, findings by MRI, scintigraphy or histology", ("I",)),
    ("2", 20, "demarcating sclerosis, no collapse", ("II",)),
    ("3A", 31, "collapse below 3 mm or crescent sign, joint space kept", ("IIIA",)),
    ("3B", 32, "collapse of 3 mm or more, joint space kept", ("IIIB",)),
    ("4", 40, "osteoarthritis", ("IV",)),
)
_STEINBERG = _stages(
    "Steinberg",
    ("0", 0, "radiograph, bone scan and MRI normal or not diagnostic", ()),
    ("I", 10, "radiograph normal, bone scan or MRI abnormal", ("1",)),
    ("II", 20, "lucent and sclerotic changes of the head", ("2",)),
    ("III", 30, "subchondral collapse (crescent sign) without flattening", ("3",)),
    ("IV", 40, "flattening of the head", ("4",)),
    ("V", 50, "narrowing of the joint or acetabular changes", ("5",)),
    ("VI", 60, "advanced degenerative changes", ("6",)),
)
_STEINBERG_SIZES = CodeSet(
    (
        Choice("A", 1, "mild", "mild: below 15 %; flattened by less than 2 mm in stage IV"),
        Choice("B", 2, "moderate", "moderate: 15 to 30 %; flattened by 2 to 4 mm in stage IV"),
        Choice("C", 3, "severe", "severe: above 30 %; flattened by more than 4 mm in stage IV"),
    ),
    is_ordered=True,
)
_FICAT = _stages("Ficat", *((str(stage), stage, f"stage {stage}", ()) for stage in range(5)))

# A label is a word by which a table may give the points: "none" is not among them, for it is what
# many programs write where there is no value at all.
_PAIN = _points(
    (44, "no pain, or ignored"),
    (40, "slight, occasional, activities not compromised"),
    (30, "mild, average activities not affected"),
    (20, "moderate, tolerable, concessions to pain"),
    (10, "marked, serious limitation"),
    (0, "totally disabled, pain in bed"),
)
_LIMP = _points((11, "no limp"), (8, "slight"), (5, "moderate"), (0, "severe"))
_SUPPORT = _points(
    (11, "no walking aid"),
    (7, "cane for long walks"),
    (5, "cane most of the time"),
    (3, "one crutch"),
    (2, "two canes"),
    (0, "two crutches, or not able to walk"),
)
_DISTANCE = _points(
    (11, "unlimited"),
    (8, "six blocks"),
    (5, "two or three blocks"),
    (2, "indoors only"),
    (0, "bed and chair only"),
)
_STAIRS = _points(
    (4, "normally, without a railing"),
    (2, "normally, with a railing"),
    (1, "in any manner"),
    (0, "unable"),
)
_SHOES = _points((4, "with ease"), (2, "with difficulty"), (0, "unable"))
_SITTING = _points(
    (5, "any chair for one hour"),
    (3, "a high chair for half an hour"),
    (0, "unable to sit comfortably"),
)
_TRANSPORT = _points((1, "able to use it"), (0, "unable to use it"))
_DEFORMITY = _points((4, "all four limits kept"), (0, "a limit is passed"))

_ARCO_2019 = "doi 10.1016/j.arth.2019.11.029"
_JIC_2001 = "doi 10.1007/s007760200108, PMID 12355139"
_STEINBERG_1995 = "doi 10.1302/0301-620X.77B1.7822393, PMID 7822393"
_HARRIS_1969 = "Harris, J Bone Joint Surg Am 1969;51:737-755, PMID 5783851"


def _subject() -> tuple[Field, ...]:
    def real(name: str, label: str, meaning: str, unit: str, high: float) -> Field:
        return Field("subject", name, "real", label, meaning, unit, low=0, high=high)

    def yes(name: str, label: str, meaning: str) -> Field:
        return Field("subject", name, "whole", label, meaning, choices=NO_YES)

    return (
        Field("subject", "sex", "text", "Sex", "sex", choices=_SEXES),
        real("age_at_index_years", "Age at index", "age at the index date", "years", 120),
        Field("subject", "bmi_kg_m2", "real", "BMI", "body mass index", "kg/m2", low=8, high=100),
        Field("subject", "aetiology", "text", "Aetiology", "cause as coded", choices=_AETIOLOGIES),
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
        Field("hip", "bilateral", "whole", "Bilateral", "both hips have necrosis", choices=NO_YES),
        Field("hip", "index_visit", "text", "Index visit", "visit that later ones compare with"),
    )


def _treatment() -> tuple[Field, ...]:
    def number(
        name: str, type_: FieldType, label: str, meaning: str, unit: str, high: float
    ) -> Field:
        return Field("treatment", name, type_, label, meaning, unit, low=0, high=high)

    return (
        Field("treatment", "treatment", "text", "Treatment", "what was done", choices=_TREATMENTS),
        number("cell_dose", "real", "Cell dose", "cells given", "cells", 1e12),
        number("cell_passage", "whole", "Passage", "passage of the cells", "", 50),
        number("cell_viability_pct", "real", "Viability", "living share of the cells", "%", 100),
        Field(
            "treatment",
            "treatment_date",
            "date",
            "Treatment date",
            "day of this treatment",
            private=True,
        ),
    )


def _classifications() -> tuple[Field, ...]:
    """What is told of a hip from its images; by the reader, by the clinic, or by both."""

    def both(name: str, label: str, meaning: str, choices: CodeSet, source: str) -> Field:
        return Field(
            "visit", name, "text", label, meaning, choices=choices, by="both", source=source
        )

    return (
        both("arco", "ARCO stage", "ARCO stage, 2019 revision", _ARCO, _ARCO_2019),
        both("jic", "JIC type", "JIC type, 2001", _JIC_TYPES, _JIC_2001),
        both("jic_stage", "JIC stage", "JIC stage, 2001", _JIC_STAGES, _JIC_2001),
        both("steinberg", "Steinberg stage", "Steinberg stage, 1995", _STEINBERG, _STEINBERG_1995),
        both(
            "steinberg_size",
            "Steinberg size",
            "extent within Steinberg's stages I to V",
            _STEINBERG_SIZES,
            _STEINBERG_1995,
        ),
        Field("visit", "ficat", "text", "Ficat stage", "Ficat-Arlet stage", choices=_FICAT),
    )


def _harris() -> tuple[Field, ...]:
    """The ten items of the Harris Hip Score, each with its published points."""

    def item(name: str, label: str, meaning: str, choices: CodeSet) -> Field:
        return Field(
            "visit",
            f"hhs_{name}",
            "whole",
            f"HHS {label}",
            f"Harris Hip Score, {meaning}",
            "points",
            choices,
            source=_HARRIS_1969,
        )

    return (
        item("pain", "pain", "pain", _PAIN),
        item("limp", "limp", "limp", _LIMP),
        item("support", "support", "walking aid", _SUPPORT),
        item("distance", "distance", "distance walked", _DISTANCE),
        item("stairs", "stairs", "climbing stairs", _STAIRS),
        item("shoes", "shoes", "putting on shoes and socks", _SHOES),
        item("sitting", "sitting", "sitting", _SITTING),
        item("transport", "transport", "entering public transport", _TRANSPORT),
        item("deformity", "deformity", "absence of deformity", _DEFORMITY),
        Field(
            "visit",
            "hhs_rom",
            "real",
            "HHS motion",
            "Harris Hip Score, range of motion",
            "points",
            low=0,
            high=5,
            source=_HARRIS_1969,
        ),
    )


def _visit() -> tuple[Field, ...]:
    def score(name: str, label: str, meaning: str, high: float, source: str = "") -> Field:
        return Field(
            "visit", name, "real", label, meaning, "points", low=0, high=high, source=source
        )

    return (
        Field("visit", "visit_date", "date", "Visit date", "day of the visit", private=True),
        *_classifications(),
        score("vas", "VAS", "pain on the visual analogue scale, 0 to vas_scale", 100),
        Field(
            "visit",
            "vas_scale",
            "whole",
            "VAS scale",
            "largest value of the pain scale",
            choices=_VAS_SCALES,
        ),
        score("hhs", "Harris Hip Score", "Harris Hip Score, total", 100, _HARRIS_1969),
        *HARRIS_ITEMS,
        score(
            "hhs_function",
            "HHS function",
            "Harris Hip Score, function: the sum of its seven items",
            47,
            _HARRIS_1969,
        ),
        score("womac", "WOMAC", "WOMAC total, 0 best", 96),
    )


def _event() -> tuple[Field, ...]:
    return (
        Field("event", "event_date", "date", "Event date", "day of the event", private=True),
        Field("event", "rule", "text", "Rule", "rule by which the event was called"),
        Field("event", "note", "text", "Note", "free words, never a patient's identity"),
    )


HARRIS_ITEMS = _harris()
"""The ten items of the Harris Hip Score: one of pain, seven of function, deformity and motion."""

FIELDS = (*_subject(), *_hip(), *_treatment(), *_visit(), *_event())
"""Every field, in the order of tables."""

READ_FIELDS = tuple(own for one in FIELDS if one.by != "clinic" for own in one.of_views())
"""What the reader of the images may enter; what belongs to a view stands twice."""

CLINICAL_FIELDS = tuple(one for one in FIELDS if one.by != "reader")
"""What stands in the clinical records."""

_BY_PATH = MappingProxyType({one.path: one for one in FIELDS})
_BY_KIND = MappingProxyType(
    {kind: tuple(one for one in CLINICAL_FIELDS if one.kind == kind) for kind in KINDS}
)
_READ = MappingProxyType({one.name: one for one in READ_FIELDS})


def fields_of(kind: str) -> tuple[Field, ...]:
    """The fields of a kind of clinical record, in order.

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


def read_field(name: str) -> Field | None:
    """The field of that name that the reader of the images may enter, or None.

    Examples
    --------
    >>> read_field("arco").label, read_field("vas")
    ('ARCO stage', None)
    """
    return _READ.get(name)
