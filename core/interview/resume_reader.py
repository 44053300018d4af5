"""Turns the bytes of a PDF or DOCX into text. Runs as a child process, started by path.

In: the file on standard input, its kind as first argument, import folders as the others.
Out: one JSON object on standard output, a `Reading` or `{"error": code}` with a code of `Problem`.
Only the standard library is imported at the top: our own modules can be found once the folders are known.
"""

from __future__ import annotations

import json
import logging
import sys
from contextlib import suppress
from dataclasses import asdict
from typing import Any


def _limit_resources(memory: int, cpu: int) -> None:
    try:
        import resource
    except ImportError:  # Windows: the parent's clock and the size limits remain
        return
    limits = {resource.RLIMIT_AS: memory, resource.RLIMIT_CPU: cpu, resource.RLIMIT_CORE: 0}
    for kind, amount in limits.items():
        with suppress(ValueError, OSError):  # macOS knows RLIMIT_AS and refuses it
            resource.setrlimit(kind, (amount, amount))


def _answer(kind: str, data: bytes) -> dict[str, Any]:
    from core.interview.resume_limits import CannotRead

    try:
        if kind == "pdf":
            from core.interview.resume_pdf import read_pdf as read
        else:
            from core.interview.resume_docx import read_docx as read
        return asdict(read(data))
    except CannotRead as refusal:
        return {"error": refusal.problem}
    except MemoryError:
        return {"error": "bomb"}
    except ImportError:
        return {"error": "unavailable"}
    except BaseException:  # noqa: BLE001 - a parser fed by strangers may raise anything; the parent gets a code
        return {"error": "damaged"}


def main() -> None:
    # Isolated mode hides packages installed per user or by PYTHONPATH; the parent names its own folders.
    sys.path.extend(folder for folder in sys.argv[2:] if folder not in sys.path)
    from core.interview import resume_limits

    _limit_resources(resume_limits.MEMORY_BYTES, resume_limits.CPU_SECONDS)
    logging.disable(logging.CRITICAL)
    data = sys.stdin.buffer.read(resume_limits.MAX_FILE_BYTES + 1)
    sys.stdout.buffer.write(json.dumps(_answer(sys.argv[1], data)).encode("ascii"))


if __name__ == "__main__":
    main()
