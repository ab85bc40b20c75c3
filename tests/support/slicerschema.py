"""What Slicer's markups schema 1.0.3 asks of a file, in a JSON Schema of our own.

Field names, types, lengths and words are those of the published schema
(``Modules/Loadable/Markups/Resources/Schema`` of 3D Slicer). They were compared by hand, field by
field, but for how a markup is displayed; the files of all sample readings, in both systems, are
valid by the published schema, too. Fields that it does not name are allowed there; Slicer does not
save them.
"""

from typing import Any

__all__ = ["MARKUP_FIELDS", "POINT_FIELDS", "SCHEMA"]

_TEXT: dict[str, Any] = {"type": "string"}
_FLAG: dict[str, Any] = {"type": "boolean"}


def _numbers(count: int) -> dict[str, Any]:
    return {"type": "array", "items": {"type": "number"}, "minItems": count, "maxItems": count}


POINT_FIELDS: dict[str, Any] = {
    "id": _TEXT,
    "label": _TEXT,
    "description": _TEXT,
    "associatedNodeID": _TEXT,
    "position": _numbers(3),
    "orientation": _numbers(9),
    "selected": _FLAG,
    "locked": _FLAG,
    "visibility": _FLAG,
    "positionStatus": {"enum": ["undefined", "preview", "defined"]},
}

_CODE = {"type": "array", "items": _TEXT, "minItems": 3, "maxItems": 3}
MARKUP_FIELDS: dict[str, Any] = {
    "type": {"enum": ["Fiducial", "Line", "Angle", "Curve", "ClosedCurve", "Plane", "ROI"]},
    "name": _TEXT,
    "coordinateSystem": {"enum": ["LPS", "RAS"]},
    "coordinateUnits": {"anyOf": [{"enum": ["mm", "um"]}, _CODE]},
    "locked": _FLAG,
    "fixedNumberOfControlPoints": _FLAG,
    "labelFormat": _TEXT,
    "planeType": _TEXT,
    "sizeMode": _TEXT,
    "center": _numbers(3),
    "normal": _numbers(3),
    "size": _numbers(3),
    "planeBounds": _numbers(4),
    "orientation": _numbers(9),
    "autoScalingSizeFactor": {"type": "number"},
    "lastUsedControlPointNumber": {"type": "integer"},
    "roiType": _TEXT,
    "insideOut": _FLAG,
    "display": {"type": "object"},
    "objectToBase": _numbers(16),
    "baseToNode": _numbers(16),
    "controlPoints": {"type": "array", "items": {"type": "object", "properties": POINT_FIELDS}},
    "measurements": {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                "name": _TEXT,
                "enabled": _FLAG,
                "value": {"type": "number"},
                "units": {"anyOf": [_TEXT, _CODE]},
            },
        },
    },
}

SCHEMA: dict[str, Any] = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "required": ["@schema", "markups"],
    "properties": {
        "@schema": {"type": "string", "pattern": r"markups-schema-v1\.[0-9]+\.[0-9]+\.json#*$"},
        "markups": {
            "type": "array",
            "items": {"type": "object", "required": ["type"], "properties": MARKUP_FIELDS},
        },
    },
}
