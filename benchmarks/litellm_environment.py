"""LiteLLM's own virtual environment, so that nothing of it gets into ours."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PINS = HERE / "litellm-requirements.txt"
FOLDER = HERE / ".venv-litellm"
INSTALLED = FOLDER / "installed.txt"


def python() -> str:
    """Its interpreter. Made on first use and after the pins have changed; raises CalledProcessError."""
    interpreter = str(FOLDER / "bin" / "python")
    pins = PINS.read_text(encoding="utf-8")
    if not INSTALLED.exists() or INSTALLED.read_text(encoding="utf-8") != pins:
        print(f"Installing {PINS.name} into {FOLDER} ...", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(FOLDER)], check=True)
        install = [interpreter, "-m", "pip", "install", "-qq", "--no-deps", "-r", str(PINS)]
        subprocess.run(install, check=True)
        INSTALLED.write_text(pins, encoding="utf-8")
    return interpreter
