"""Writes a calibration as YAML, whole or not at all."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.representer import RoundTripRepresenter

from simulator.scenario.calibration import Calibration
from simulator.writer import write_text

_HEADER = """\
Fitted by `assay calibrate`: figures and their source, not the data.
Method and traps: docs/calibration.md. Drifts are not fitted; they are assumptions of a scenario.
"""

_UNWRAPPED = 10_000


def write_calibration(
    calibration: Calibration, path: Path | str, *, only_measured: bool = False
) -> None:
    """Write `calibration` so that `load_calibration` returns an equal one.

    The file appears under its name only when it is complete.

    Parameters
    ----------
    only_measured : bool
        Leave out the groups of the macro section that are the macro model's defaults.

    Raises
    ------
    UsageError
        The file cannot be written.
    """
    write_text(Path(path), to_yaml(calibration, only_measured=only_measured))


def to_yaml(calibration: Calibration, *, only_measured: bool = False) -> str:
    """Return the text of a calibration file: the same bytes for equal calibrations."""
    data = calibration.model_dump()
    if only_measured and calibration.macro is not None:
        given = calibration.macro.model_fields_set
        data["macro"] = {name: group for name, group in data["macro"].items() if name in given}
    document = _node(data)
    document.yaml_set_start_comment(_HEADER)
    yaml = YAML()
    yaml.Representer = _Representer
    yaml.width = _UNWRAPPED
    yaml.indent(mapping=2, sequence=4, offset=2)
    stream = io.StringIO()
    yaml.dump(document, stream)
    return stream.getvalue()


class _Representer(RoundTripRepresenter):
    """Spells out null and repeats equal dates, so that each figure reads by itself."""

    def represent_none(self, data: None) -> Any:
        return self.represent_scalar("tag:yaml.org,2002:null", "null")

    def ignore_aliases(self, data: Any) -> bool:
        return True


_Representer.add_representer(type(None), _Representer.represent_none)


def _node(value: Any) -> Any:
    """Return plain data as YAML nodes; short lists such as a window stay on one line."""
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: key != "between")
        return CommentedMap({key: _node(value[key]) for key in keys if value[key] != ""})
    if isinstance(value, tuple | list):
        sequence = CommentedSeq([_node(item) for item in value])
        if not any(isinstance(item, dict) for item in value):
            sequence.fa.set_flow_style()
        return sequence
    return value
