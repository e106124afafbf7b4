"""Whose weights a graph holds: kept in its metadata, from where the side-car of an engine takes it."""

import json
from pathlib import Path

import onnx

LICENCES = "omokage.licences"
"""The entry of a graph's metadata: JSON, component -> licence."""


def licences_of(graph: Path) -> dict[str, str]:
    """Component -> licence; none for a graph of our own."""
    properties = onnx.load(str(graph), load_external_data=False).metadata_props
    return {name: licence for one in properties if one.key == LICENCES for name, licence in json.loads(one.value).items()}
