"""A process that opens an envelope of twelve calls for an hour, and is killed before it closes it.

python -m tests.envelope_worker BACKEND SHARED_FOLDER CATALOGUE BASE_URL
"""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.fakes.house import TASK
from tests.fakes.stores import BACKENDS
from tests.scene import Scene


def main(backend: str, shared: str, catalogue: str, base_url: str) -> None:
    with TemporaryDirectory() as own, ExitStack() as stack:
        store = BACKENDS[backend](Path(shared))
        house = Scene(Path(own), stack).house(catalogue, {"first": base_url}, store=store)
        assert house.balancer.open_envelope(TASK, 12, 3_600)
        print("opened", flush=True)
        time.sleep(60)


if __name__ == "__main__":
    main(*sys.argv[1:])
