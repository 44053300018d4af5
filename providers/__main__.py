"""`python -m providers`: does every provider work, and what does each give away?

An entry point like streamlit_app.py: it builds the whole app, because a check's call is charged to its ledger.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict

from core.app import current
from core.check import Finding
from core.settings import BadSetting
from providers.catalog import load_catalog
from providers.contracts import Limit
from providers.guide import guide

HEADS = ("Provider", "State", "Key", "Models", "JSON", "Time", "Left, as it says itself")


def main(arguments: Sequence[str]) -> int:
    """0 when all is well, 1 when a provider in use does not work, 2 when none is in use or a setting is wrong."""
    parser = argparse.ArgumentParser("python -m providers", description="Check the providers, or describe them.")
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser("check", help="ask each provider in use: at most one charged call each")
    check.add_argument("--json", action="store_true", help="one JSON list instead of a table")
    commands.add_parser("docs", help="print docs/providers.md")
    asked = parser.parse_args(arguments)
    if asked.command == "docs":
        sys.stdout.write(guide(load_catalog()))
        return 0
    try:
        findings = list(current().check.run())
    except BadSetting as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(_as_json(findings) if asked.json else _as_table(findings))
    used = [finding for finding in findings if finding.state != "off"]
    return 2 if not used else int(any(finding.state != "works" for finding in used))


def _as_json(findings: Iterable[Finding]) -> str:
    return json.dumps([asdict(finding) for finding in findings], indent=2) + "\n"


def _as_table(findings: Sequence[Finding]) -> str:
    used = [finding for finding in findings if finding.state != "off"]
    rows = [HEADS, *map(_row, used)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    lines += [f"{finding.label}: {finding.problem}" for finding in used if finding.problem]
    lines += ["", *(f"{finding.label}: off, {finding.problem}" for finding in findings if finding.state == "off")]
    return "\n".join(lines if used else ["No provider is in use.", *lines[1:]]) + "\n"


def _row(found: Finding) -> tuple[str, ...]:
    models = "not listed" if found.missing is None else "all"
    models = f"missing: {', '.join(found.missing)}" if found.missing else models
    kept = {True: "kept", False: "not kept", None: "-"}[found.keeps_json]
    seconds = "-" if found.seconds is None else f"{found.seconds:.1f} s"
    counted = (told for told in found.left if told.remaining is not None)
    left = "; ".join(f"{told.remaining:g} {Limit('', told.unit, 1, told.window).what}" for told in counted)
    return found.label, found.state, found.key, models, kept, seconds, left or "-"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
