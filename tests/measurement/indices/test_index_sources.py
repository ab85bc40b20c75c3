"""Every index states its source, and what is provisional says so."""

from dataclasses import fields

from necroangle.measurement.indices import INDEX_SOURCES, HipIndices

PROVISIONAL = {"koo_kim_size", "jic_w", "jic_type", "jic_medial_of_wb", "lateral_spared_deg"}


def test_every_index_has_a_source_and_every_source_an_index() -> None:
    names = [field.name for field in fields(HipIndices) if field.name != "refused"]
    assert list(INDEX_SOURCES) == names
    assert all(entry.source for entry in INDEX_SOURCES.values())
    unplaced = {name for name, entry in INDEX_SOURCES.items() if not entry.doi_or_ref}
    assert unplaced == {"anterior_necrotic_deg"}


def test_the_provisional_ones_are_these() -> None:
    assert {name for name, entry in INDEX_SOURCES.items() if entry.provisional} == PROVISIONAL
