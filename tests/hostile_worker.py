"""An app that reads files for three people at once while a fourth goes on with an interview.

    python -m tests.hostile_worker MANIFEST

The manifest is a JSON list of [name, path]. Tells as JSON what each person got and after how many seconds, how
long each call of the fourth one took, and by how many bytes this process has grown, now and at its largest.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from core.app import current
from core.interview.engine import Engine
from core.interview.model import Setup
from core.interview.resume_analyzer import ResumeError, read_resume
from tests import files

AT_ONCE = 3


def read(name: str, path: str) -> tuple[float, str]:
    """Seconds to the answer, and the sentence; "" for a file that was read."""
    data = Path(path).read_bytes()
    begun = time.monotonic()
    try:
        read_resume(name, data)
    except ResumeError as error:
        return time.monotonic() - begun, str(error)
    return time.monotonic() - begun, ""


def type_on(engine: Engine, token: str, is_over: threading.Event) -> list[float]:
    """Seconds that each saved draft took."""
    took: list[float] = []
    while not is_over.wait(0.02):
        text = f"draft {len(took)}"
        begun = time.monotonic()
        kept = engine.keep_draft(token, 0, text)
        took.append(time.monotonic() - begun)
        assert kept.turns[0].draft == text
    return took


def resident(line: str) -> int:
    """A size of this process in bytes, as Linux tells it."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition(f"{line}:")[2].split()[0]) * 1024


def main(manifest: str) -> None:
    rows: list[tuple[str, str]] = json.loads(Path(manifest).read_text(encoding="utf-8"))
    engine = current().engine
    token, _ = engine.start(Setup("Nurse", "mid", "behavioural", 3))
    read_resume("a.txt", files.RESUME.encode())
    before = resident("VmRSS")
    is_over = threading.Event()
    with ThreadPoolExecutor(AT_ONCE + 1) as pool:
        typing = pool.submit(type_on, engine, token, is_over)
        answers = [reading.result() for reading in [pool.submit(read, *row) for row in rows]]
        is_over.set()
        drafts = typing.result()
    grown = {"now": resident("VmRSS") - before, "most": resident("VmHWM") - before}
    print(json.dumps({"answers": answers, "drafts": drafts, "grown": grown}))


if __name__ == "__main__":
    main(sys.argv[1])
