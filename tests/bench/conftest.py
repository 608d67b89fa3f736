"""A bench imports its own package from `bench/`, as its script does; so do its tests."""

import sys

from tests.conftest import ROOT

sys.path.insert(0, str(ROOT / "bench"))
