"""What the portal is made of and whether a weakness of any of it is known: `python .ci/dependencies.py sbom|audit`.

`sbom` writes dist/sbom.cdx.json (CycloneDX) from the lock files. `audit` asks PyPI's advisories about every locked
package by pip-audit: a finding fails it; without a connection it says so and fails nothing.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from base64 import b64decode
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import click

ROOT = Path(__file__).resolve().parent.parent
LOCK, NODE_LOCK = ROOT / "requirements.lock", ROOT / "package-lock.json"
NO_CONNECTION = re.compile(
    r"ConnectionError|ConnectTimeout|ReadTimeout|ProxyError|HTTPError|Max retries|resolution|unreachable|Unavailable"
)
# Weaknesses that are known and do not reach the portal: id, why, and until when that holds. None is.
ACCEPTED: tuple[str, ...] = ()


@click.group()
def main() -> None:
    """The portal's dependencies."""


@main.command()
def sbom() -> None:
    """Write the bill of materials."""
    target = ROOT / "dist" / "sbom.cdx.json"
    target.parent.mkdir(exist_ok=True)
    bill = build_sbom(LOCK.read_text(), json.loads(NODE_LOCK.read_text()))
    target.write_text(json.dumps(bill, indent=1))
    click.echo(f"{len(bill['components'])} components in {target.relative_to(ROOT)}")


@main.command()
@click.argument("lock", type=click.Path(exists=True), default=str(LOCK))
def audit(lock: str) -> None:
    """Fail for a package with a known weakness."""
    ignored = [word for weakness in ACCEPTED for word in ("--ignore-vuln", weakness)]
    command = ["pip_audit", "--requirement", lock, "--require-hashes", "--disable-pip", "--format", "json", *ignored]
    answer = subprocess.run(
        [sys.executable, "-m", *command, "--progress-spinner", "off"], capture_output=True, text=True, check=False
    )
    code, words = judge(answer.stdout, answer.stderr)
    click.echo(words, err=bool(code))
    sys.exit(code)


def judge(found: str, complaints: str) -> tuple[int, str]:
    """The exit status and what to say, from what pip-audit wrote on both its outputs."""
    try:
        packages = json.loads(found)["dependencies"]
    except (ValueError, KeyError):
        if NO_CONNECTION.search(complaints):
            return 0, "Dependencies: NOT AUDITED, there is no connection to the advisories."
        return 1, f"Dependencies: the audit failed.\n{complaints}"
    skipped = [package["name"] for package in packages if "skip_reason" in package]
    weak = [
        f"  {package['name']} {package['version']}: {weakness['id']}"
        f" (mended in {', '.join(weakness['fix_versions']) or 'no version yet'})"
        for package in packages
        for weakness in package.get("vulns", ())
    ]
    lines = [f"Dependencies: {len(packages) - len(skipped)} audited, {len(weak)} known weaknesses.", *weak]
    if skipped:
        lines.append(f"NOT AUDITED, as the index tells nothing of them: {', '.join(skipped)}")
    return int(bool(weak)), "\n".join(lines)


def build_sbom(lock: str, node_lock: dict[str, Any]) -> dict[str, Any]:
    """The locked packages of Python and of npm in CycloneDX 1.6, each with the hashes that it may have."""
    components = []
    for block in re.split(r"\n(?=[a-z0-9])", lock):
        if found := re.match(r"([a-z0-9._-]+)(?:\[[^]]*\])?==([^\s;\\]+)", block):
            hashes = re.findall(r"--hash=sha256:([0-9a-f]{64})", block)
            components.append(_component("pypi", found[1], found[2], "SHA-256", hashes))
    for place, package in node_lock["packages"].items():
        if place:
            digest = b64decode(package["integrity"].removeprefix("sha512-")).hex()
            components.append(
                _component("npm", place.removeprefix("node_modules/"), package["version"], "SHA-512", [digest])
            )
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid4()}",
        "version": 1,
        "metadata": {
            "timestamp": datetime.now(UTC).isoformat(timespec="seconds"),
            "component": {"type": "application", "name": "portal", "bom-ref": "portal"},
        },
        "components": components,
    }


def _component(kind: str, name: str, version: str, algorithm: str, hashes: list[str]) -> dict[str, Any]:
    reference = f"pkg:{kind}/{name.replace('@', '%40')}@{version}"
    return {
        "type": "library",
        "name": name,
        "version": version,
        "purl": reference,
        "bom-ref": reference,
        "hashes": [{"alg": algorithm, "content": digest} for digest in hashes],
    }


if __name__ == "__main__":
    main()
