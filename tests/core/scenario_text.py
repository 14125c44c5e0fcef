"""The sober scenario's text with changes, and what Assay says of them."""

import pytest

from simulator.errors import InputError
from simulator.scenario import load_scenario
from simulator.scenario.files import shipped_folder

# With the start that the file leaves to its calibration.
SOBER = (
    (shipped_folder() / "gold-vault-sober.yaml")
    .read_text(encoding="utf-8")
    .replace("# start: the calibration's last day, 2026-01-20", "start: 2026-01-20")
)


def changed(old, new):
    """Return the sober scenario with one text replaced."""
    assert SOBER.count(old) == 1, old
    return SOBER.replace(old, new)


def written(tmp_path, content):
    path = tmp_path / "own.yaml"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content, encoding="utf-8", newline="")
    return path


def refused(tmp_path, content, **options):
    """Return the lines of the refusal, the file's folder taken off."""
    with pytest.raises(InputError) as caught:
        load_scenario(written(tmp_path, content), **options)
    return str(caught.value).replace(f"{tmp_path}/", "").splitlines()


def line_of(text, fragment):
    """Return the number of the only line that holds `fragment`."""
    (number,) = [n for n, line in enumerate(text.split("\n"), 1) if fragment in line]
    return number


def one_fault(tmp_path, old, new, fragment=None):
    """Return the only fault after a change, without its place, which is checked.

    The place must be the line that holds `fragment`, by default the first new line.
    """
    text = changed(old, new)
    (message,) = refused(tmp_path, text)
    place, _, fault = message.partition(": ")
    assert place == f"own.yaml:{line_of(text, fragment or new.splitlines()[0])}"
    return fault
