"""Chromium for browser tests: the machine's, else Debian's package, installed by root or unpacked by anybody else."""

from __future__ import annotations

import ctypes
import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

from msp_local.servers import debian
from msp_local.servers.processes import ServerFailed

# The C library and what belongs to it come from the machine: two of them in one process do not get on.
_NOT_OURS = re.compile(r"^(?!(libc6|libc-bin|libgcc-s1|libstdc\+\+6|base-files|debconf|dpkg|perl.*|gcc-.*)$).+$")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def chromium_path(cache: Path) -> Path:
    """Return the path of a Chromium that can be started, fetched once when there is none.

    Raises:
        ServerFailed: it cannot be had; install Debian's package `chromium`.
    """
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found:
        return Path(found)
    if os.geteuid() == 0 and shutil.which("apt-get"):
        env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "-qq", "update"], capture_output=True, check=False)
        command = ["apt-get", "-qq", "-y", "--no-install-recommends", "install", "chromium"]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ServerFailed(f"chromium could not be installed: {done.stderr[-400:]}")
        return Path("/usr/bin/chromium")
    return _unpacked(cache / "chromium")


def lend_driver_libraries(cache: Path) -> None:
    """Give the programs this process starts the library the browser driver's own Node needs, where the machine has none.

    Raises:
        ServerFailed: it cannot be had; install Debian's package `libatomic1`.
    """
    try:
        ctypes.CDLL("libatomic.so.1")
    except OSError:
        root = cache / "driver"
        folder = root / f"usr/lib/{platform.machine()}-linux-gnu"
        if not (folder / "libatomic.so.1").exists():
            debian.unpack("libatomic1", into=root, cache=cache, only=re.compile("^libatomic1$"))
        others = os.environ.get("LD_LIBRARY_PATH")
        os.environ["LD_LIBRARY_PATH"] = f"{folder}:{others}" if others else str(folder)


def _unpacked(root: Path) -> Path:
    wrapper = root / "chromium"
    if not wrapper.exists():
        debian.unpack("chromium", into=root, cache=root.parent, only=_NOT_OURS)
        # What packages keep in folders of their own (pulseaudio) is found by a cache only root can write.
        places = sorted(
            {path.parent for path in root.glob("**/lib*.so*") if "chromium" not in path.parts[len(root.parts) :]}
        )
        libraries = ":".join(str(place) for place in places)
        fonts = root / "fonts.conf"
        fonts.write_text(
            f"<fontconfig><dir>{root}/usr/share/fonts</dir><cachedir>{root}/fontcache</cachedir></fontconfig>\n"
        )
        wrapper.write_text(
            f"#!/bin/sh\nexport LD_LIBRARY_PATH={libraries} FONTCONFIG_FILE={fonts}\n"
            f'exec {root}/usr/lib/chromium/chromium "$@"\n'
        )
        wrapper.chmod(0o755)
    return wrapper
