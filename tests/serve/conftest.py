"""One run and one server for all tests that only look."""

from __future__ import annotations

import pytest
from served import make_run, serving


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """Return the folder of a finished run, within a folder of runs."""
    return make_run(tmp_path_factory.mktemp("serve"))


@pytest.fixture(scope="session")
def client(tiny):
    """Yield a client of a server over the run's folder; nothing may change there."""
    with serving(tiny.parent) as found:
        yield found
