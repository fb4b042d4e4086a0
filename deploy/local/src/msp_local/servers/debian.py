"""Debian packages without root: private lists, private cache, unpacked into a folder."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from msp_local.servers.processes import ServerFailed

_IGNORED = ("recommends", "suggests", "conflicts", "breaks", "replaces", "enhances")


def unpack(package: str, *, into: Path, cache: Path, only: re.Pattern[str] | None = None) -> None:
    """Fetch a package with what it depends on, and unpack it all.

    ``only`` keeps the packages whose whole name matches; everything else is taken for installed.

    Raises:
        ServerFailed: there is no apt-get, or it cannot fetch.
    """
    if shutil.which("apt-get") is None:
        raise ServerFailed(f"this machine has no apt-get; install {package} and try again")
    work = cache / "apt"
    for name in ("lists/partial", "cache/archives/partial", f"debs/{package}"):
        (work / name).mkdir(parents=True, exist_ok=True)
    options = [
        *("-o", f"Dir::State::lists={work}/lists"),
        *("-o", f"Dir::Cache={work}/cache"),
        *("-o", "Dir::State::status=/var/lib/dpkg/status"),
        *("-o", "Debug::NoLocking=true"),
        *("-o", "APT::Sandbox::User="),
    ]
    debs = work / "debs" / package
    _run(["apt-get", "-qq", *options, "update"], package)
    listed = _run(
        [
            "apt-cache",
            *options,
            "depends",
            "--recurse",
            "--no-pre-depends",
            *(f"--no-{kind}" for kind in _IGNORED),
            package,
        ],
        package,
    )
    names = {line.strip() for line in listed.splitlines() if re.fullmatch(r"[a-z0-9][a-z0-9.+-]*", line.strip())}
    wanted = sorted(name for name in names if only is None or only.match(name))
    _run(["apt-get", "-qq", *options, "download", *wanted], package, cwd=debs)
    into.mkdir(parents=True, exist_ok=True)
    for deb in sorted(debs.glob("*.deb")):
        _run(["dpkg-deb", "-x", str(deb), str(into)], package)
    shutil.rmtree(debs)


def _run(command: list[str], package: str, cwd: Path | None = None) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)
    if done.returncode:
        reason = (done.stderr or done.stdout)[-600:]
        raise ServerFailed(f"{package} could not be fetched with apt-get; install it and try again: {reason}")
    return done.stdout
