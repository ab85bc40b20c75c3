"""The words of the field, once: sides, views, findings, stages, flags.

Every member's value is what stands in a reading file and in the cohort table.
"""

from dataclasses import dataclass, field
from enum import StrEnum

__all__ = [
    "VIEW_PAIRS",
    "ArcoStage",
    "Finding",
    "Flag",
    "JicStage",
    "JicType",
    "LandmarkName",
    "Laterality",
    "Observation",
    "SourceImage",
    "UnreadReason",
    "View",
    "Weighting",
]


class Laterality(StrEnum):
    """The hip's side, as DICOM codes it."""

    LEFT = "L"
    RIGHT = "R"


class View(StrEnum):
    """The view that is marked. A reading has one A view and one B view of the same kind."""

    CORONAL = "coronal"
    """Mid-coronal MR slice: gives angle A."""
    SAGITTAL = "sagittal"
    """Mid-sagittal MR slice: gives angle B."""
    AP = "ap"
    """Anteroposterior radiograph: gives angle A."""
    FROG_LEG = "frog_leg"
    """Frog-leg lateral radiograph: gives angle B; never mixed with cross-table."""
    CROSS_TABLE = "cross_table"
    """Cross-table lateral radiograph: gives angle B; never mixed with frog-leg."""

    @property
    def label(self) -> str:
        """The view's name for people."""
        return {"ap": "AP"}.get(self.value, self.value.replace("_", "-"))

    @property
    def is_radiograph(self) -> bool:
        """Whether the view is a projection, with no position in the patient."""
        return self in (View.AP, View.FROG_LEG, View.CROSS_TABLE)

    @property
    def is_a(self) -> bool:
        """Whether the view gives angle A (coronal, AP); the others give B."""
        return self in (View.CORONAL, View.AP)


class Weighting(StrEnum):
    """What weights the grey values of an MR image, in the order in which series are offered."""

    T1 = "T1"
    PD = "PD"
    STIR = "STIR"
    T2 = "T2"
    GRE = "GRE"
    """Gradient echo, whatever its weighting."""
    UNKNOWN = "unknown"
    """Numbers and coded words do not tell. It is never guessed."""

    @classmethod
    def differ(cls, first: "Weighting | None", second: "Weighting | None") -> bool:
        """Whether two images are of unlike weighting; what is not known contradicts nothing.

        Examples
        --------
        >>> Weighting.differ(Weighting.T1, Weighting.STIR)
        True
        >>> Weighting.differ(Weighting.T1, None), Weighting.differ(Weighting.T1, Weighting.UNKNOWN)
        (False, False)
        """
        unknown = (None, cls.UNKNOWN)
        return first not in unknown and second not in unknown and first != second


VIEW_PAIRS = (
    (View.CORONAL, View.SAGITTAL),
    (View.AP, View.FROG_LEG),
    (View.AP, View.CROSS_TABLE),
)
"""The A view and the B view that may stand in one reading."""


class Finding(StrEnum):
    """What the reader found on a view that was read."""

    NECROSIS = "necrosis"
    """A necrotic lesion that reaches the surface: at least one arc is marked."""
    NO_NECROSIS = "no_necrosis"
    """Read, and there is no necrosis on this slice nor near it: the angle is 0."""
    NOT_SUBCHONDRAL = "not_subchondral"
    """A lesion is there but does not reach the surface: the angle is 0, and flagged."""
    OFF_MIDSLICE = "off_midslice"
    """No lesion on this slice, but on others: the angle is 0, and flagged."""


class UnreadReason(StrEnum):
    """Why a view has no reading: never the same as "no necrosis"."""

    NOT_DONE = "not_done"
    NOT_READABLE = "not_readable"
    PROSTHESIS = "prosthesis"
    """The hip has been replaced: the angle is censored, never carried forward."""


class Observation(StrEnum):
    """What else the reader saw on a view, that bears on the angle."""

    FLATTENED = "flattened"
    """The dome has lost its round shape."""
    POSTOP_TRACK = "postop_track"
    """A core track or graft is there; it does not count as necrosis."""


class LandmarkName(StrEnum):
    """A point beside head and arcs, from which derived indices follow."""

    TEARDROP = "teardrop"
    """Lowest point of the acetabular teardrop."""
    ACETABULAR_EDGE = "acetabular_edge"
    """Lateral edge of the acetabular roof."""
    NECK_PROXIMAL = "neck_proximal"
    NECK_DISTAL = "neck_distal"
    """Two points on the midline of the neck, near the head and away from it."""
    COLLAPSE_DEEPEST = "collapse_deepest"
    """Deepest point of the sunken surface."""


class ArcoStage(StrEnum):
    """ARCO stage, 2019 revision (doi 10.1016/j.arth.2019.11.029), as entered by the reader."""

    STAGE_1 = "1"
    STAGE_2 = "2"
    STAGE_3A = "3A"
    STAGE_3B = "3B"
    STAGE_4 = "4"

    @property
    def order(self) -> int:
        """Place of the stage in 1 < 2 < 3A < 3B < 4; as texts they do not order so.

        Examples
        --------
        >>> ArcoStage.STAGE_3B.order - ArcoStage.STAGE_2.order
        2
        """
        return _ARCO_ORDER[self]

    @property
    def is_collapsed(self) -> bool:
        """Whether the stage is 3A or later."""
        return self in (ArcoStage.STAGE_3A, ArcoStage.STAGE_3B, ArcoStage.STAGE_4)


_ARCO_ORDER = {stage: place for place, stage in enumerate(ArcoStage)}


class JicStage(StrEnum):
    """Japanese Investigation Committee stage of a collapsed head, by depth."""

    STAGE_3A = "3A"
    """Less than 3 mm."""
    STAGE_3B = "3B"
    """3 mm and more."""


class JicType(StrEnum):
    """Japanese Investigation Committee type, 2001 (PMID 12355139), as entered by the reader."""

    A = "A"
    B = "B"
    C1 = "C1"
    C2 = "C2"


class Flag(StrEnum):
    """A doubt that does not stop a measurement: data in the result, a column in the table."""

    FEW_RIM_POINTS = "few_rim_points"
    SHORT_RIM = "short_rim"
    VERY_SHORT_RIM = "very_short_rim"
    ROUGH_RIM = "rough_rim"
    MISPLACED_RIM_POINT = "misplaced_rim_point"
    EDGE_OFF_CIRCLE = "edge_off_circle"
    ARC_ABOVE_180 = "arc_above_180"
    MULTI_ARC = "multi_arc"
    NOT_SUBCHONDRAL = "not_subchondral"
    OFF_MIDSLICE = "off_midslice"
    POSTOP_TRACK = "postop_track"
    COLLAPSED_FIT = "collapsed_fit"
    OBLIQUE_PLANE = "oblique_plane"
    PLANE_NOT_OF_VIEW = "plane_not_of_view"
    IRREGULAR_STACK = "irregular_stack"
    SLICE_OFF_CENTRE = "slice_off_centre"
    RADII_DIFFER = "radii_differ"
    CENTRES_DIFFER = "centres_differ"
    HEAD_MOVED = "head_moved"
    FRAMES_DIFFER = "frames_differ"
    WEIGHTINGS_DIFFER = "weightings_differ"
    SPHERE_CENTRE = "sphere_centre"
    RADIUS_PRIOR = "radius_prior"
    NOT_BRACKETED = "not_bracketed"
    EXTRAPOLATED = "extrapolated"
    BOUNDED = "bounded"
    LESION_NOT_COVERED = "lesion_not_covered"
    NEAR_CUTOFF = "near_cutoff"
    UNCALIBRATED = "uncalibrated"
    VIEW_NOT_READ = "view_not_read"
    CENSORED_BY_THA = "censored_by_tha"
    RADIUS_UNLIKELY = "radius_unlikely"
    SIDE_UNLIKELY = "side_unlikely"
    ARC_OVER_NECK = "arc_over_neck"
    ARC_BEYOND_RIM = "arc_beyond_rim"
    STRETCHED_IMAGE = "stretched_image"
    DOME_SUNKEN = "dome_sunken"
    RIM_ON_NECK = "rim_on_neck"
    RIM_OFF_HEAD = "rim_off_head"
    PRIOR_UNLIKE_RIM = "prior_unlike_rim"
    MIRRORED_VIEW = "mirrored_view"
    STUDIES_DIFFER = "studies_differ"
    TURNED_VIEW = "turned_view"
    TINY_ARC = "tiny_arc"
    VIEWS_UNLIKE = "views_unlike"
    SCALE_FROM_MARKER = "scale_from_marker"
    SEVERAL_PATIENTS = "several_patients"
    MARK_OUTSIDE_IMAGE = "mark_outside_image"
    NEIGHBOUR_UNLIKE = "neighbour_unlike"
    NOTES_NAME_SOMEONE = "notes_name_someone"

    @property
    def meaning(self) -> str:
        """One plain sentence for the reader."""
        return _MEANINGS[self]


@dataclass(frozen=True, slots=True)
class SourceImage:
    """The image a slice comes from, by its DICOM identifiers.

    Attributes
    ----------
    study_uid, series_uid, instance_uid
        StudyInstanceUID, SeriesInstanceUID, SOPInstanceUID.
    frame_number
        Frame in a multi-frame image, from 1; 1 for a single-frame image.
    frame_of_reference_uid
        FrameOfReferenceUID, or None where the image has none (radiographs).
    sop_class_uid
        SOPClassUID: what kind of DICOM object it is; None where the file states none, or is no
        DICOM. It tells no image from another.
    """

    study_uid: str
    series_uid: str
    instance_uid: str
    frame_number: int = 1
    frame_of_reference_uid: str | None = None
    sop_class_uid: str | None = field(default=None, compare=False)


_MEANINGS = {
    Flag.FEW_RIM_POINTS: "fewer than 8 rim points: the head circle is loosely held",
    Flag.SHORT_RIM: "the rim marks span less than 150°: the centre is uncertain",
    Flag.VERY_SHORT_RIM: "the rim marks span less than 120°: hardly more than a guess",
    Flag.ROUGH_RIM: "the rim marks lie more than 1 mm (RMS) off the circle",
    Flag.MISPLACED_RIM_POINT: "a rim point does not lie where the others say",
    Flag.EDGE_OFF_CIRCLE: "an arc end was marked more than 3 mm off the circle",
    Flag.ARC_ABOVE_180: "the necrotic arc is larger than 180°",
    Flag.MULTI_ARC: "several arcs: their union is measured",
    Flag.NOT_SUBCHONDRAL: "a lesion is there but does not reach the surface: 0°",
    Flag.OFF_MIDSLICE: "the lesion is on other slices, not on this one: 0°",
    Flag.POSTOP_TRACK: "a core track or graft is there; it is not counted",
    Flag.COLLAPSED_FIT: "the head has collapsed: the rim within the arc does not count",
    Flag.OBLIQUE_PLANE: "the slice is tilted by more than 20° from the named plane",
    Flag.PLANE_NOT_OF_VIEW: "the slice lies nearer to another plane than to the named one",
    Flag.IRREGULAR_STACK: "slices of the stack are missing, tilted or mixed: read in the slice",
    Flag.SLICE_OFF_CENTRE: "the slice is more than 3 mm from the head's centre",
    Flag.RADII_DIFFER: "the head radii of the two views differ by more than 2 mm",
    Flag.CENTRES_DIFFER: "the views' head centres do not meet: patient moved, or another hip",
    Flag.HEAD_MOVED: "the patient moved between the series: each view has its own centre",
    Flag.SPHERE_CENTRE: "measured about the joint sphere of both views",
    Flag.RADIUS_PRIOR: "measured with a head radius known beforehand",
    Flag.NOT_BRACKETED: "the marked slices do not lie on both sides of the head's centre",
    Flag.EXTRAPOLATED: "an arc was drawn on beyond the slices that show it",
    Flag.BOUNDED: "an arc ends between the marked slices: the angle is a cautious guess",
    Flag.LESION_NOT_COVERED: "the marked slices do not cover the lesion: a lower bound",
    Flag.NEAR_CUTOFF: "the grade may be another one, with a probability above 10 %",
    Flag.FRAMES_DIFFER: "the two views have different frames of reference: no slice offsets",
    Flag.WEIGHTINGS_DIFFER: "the two views are of unlike weighting: borders may differ",
    Flag.UNCALIBRATED: "no true mm on this radiograph: angles hold, lengths do not",
    Flag.VIEW_NOT_READ: "one view was not read: no combined angle",
    Flag.CENSORED_BY_THA: "the hip has been replaced: the angle is censored",
    Flag.RADIUS_UNLIKELY: "no adult's head has this radius: look at the spacing and at the rim",
    Flag.SIDE_UNLIKELY: "the head lies on the other side of the patient: look which hip it is",
    Flag.ARC_OVER_NECK: "the arc lies over the neck: look at its third mark, on the necrotic side",
    Flag.ARC_BEYOND_RIM: "the arc reaches more than 25° beyond the rim marks: mark the rim there",
    Flag.STRETCHED_IMAGE: "both heads are oval alike: look at the spacing of rows and columns",
    Flag.DOME_SUNKEN: "the dome is sunken within the arc: look at it, and enter the stage",
    Flag.RIM_ON_NECK: "the last rim marks leave the circle: look whether they lie on the neck",
    Flag.RIM_OFF_HEAD: "the arc ends lie within the rim: look whether the rim is the socket's",
    Flag.PRIOR_UNLIKE_RIM: "the rim contradicts the known radius: look where that comes from",
    Flag.MIRRORED_VIEW: "the neck is on the medial side: look whether image or side is mirrored",
    Flag.STUDIES_DIFFER: "the two views are of two studies: look whether of one visit and patient",
    Flag.TURNED_VIEW: "the rim is open above or beside the head: look whether the image is turned",
    Flag.TINY_ARC: "an arc is below 10°: look whether both its ends are one and the same mark",
    Flag.VIEWS_UNLIKE: "the two angles differ by more than 100°: look at the arc of either view",
    Flag.SCALE_FROM_MARKER: "mm from a marker that the reader clicked: true at its depth alone",
    Flag.MARK_OUTSIDE_IMAGE: "a mark lies outside its image: look whether it was marked enlarged",
    Flag.NEIGHBOUR_UNLIKE: "a neighbouring slice shows another circle: look whether of this hip",
    Flag.NOTES_NAME_SOMEONE: "the notes seem to hold a name, a number or a day of birth: remove it",
    Flag.SEVERAL_PATIENTS: "the study held images of several patients: check whose they are",
}
