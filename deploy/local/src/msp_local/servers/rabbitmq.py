"""RabbitMQ from the machine, or from Debian's packages unpacked in a cache, without root."""

from __future__ import annotations

import base64
import glob
import hashlib
import json
import os
import platform
import re
import secrets
import shutil
import signal
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

from msp_local.servers import debian
from msp_local.servers.processes import ServerFailed, free_ports, spawn, stop, wait_until

_CLOSURE = re.compile(
    r"^(erlang-(base|asn1|crypto|public-key|mnesia|runtime-tools|ssl|eldap|inets|os-mon|parsetools|syntax-tools|tools|xmerl"
    r"|ftp|tftp|snmp)|rabbitmq-server|libtinfo6|libssl3|libssl3t64|libsctp1|zlib1g|libsystemd0|libcap2|libstdc\+\+6"
    r"|libgcc-s1|liblzma5|libzstd1|liblz4-1|libgcrypt20|libgpg-error0)$"
)


def answers(host: str, port: int) -> bool:
    """Return whether a node answers AMQP there; a port mapper that accepts for a node still booting does not count."""
    try:
        with socket.create_connection((host, port), 1) as connection:
            connection.settimeout(2)
            connection.sendall(b"AMQP\x00\x00\x09\x01")
            return connection.recv(1) == b"\x01"
    except OSError:
        return False


class RabbitMQ:
    """One node in a folder: started, stopped, killed and started again on the same port with the same data."""

    def __init__(self, folder: Path, *, prefix: Path, vhosts: Sequence[str], services: Sequence[str] = ()) -> None:
        self.folder = folder
        self.prefix = prefix
        self.vhosts = vhosts
        self.services = services
        self.process: subprocess.Popen[bytes] | None = None
        self._epmd: subprocess.Popen[bytes] | None = None
        for name in ("bin", "home", "mnesia", "log"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        self.log = folder / "rabbitmq.log"
        self.log.touch()
        # The name of a node holds its data: the port for distribution may change, the name may not.
        self.port, self._distribution_port, self._epmd_port = free_ports(3)
        self.password = self._password()

    def url(self, vhost: str = "", *, service: str | None = None) -> str:
        """Return the URL of a vhost, for the administrator or for one service."""
        user = "admin" if service is None else f"svc-{service}"
        return f"amqp://{user}:{self.password}@127.0.0.1:{self.port}/{vhost}"

    @property
    def version(self) -> str:
        """Return what the server calls itself."""
        return Path(self._home).name.replace("rabbitmq_server-", "RabbitMQ ")

    @property
    def _home(self) -> str:
        return glob.glob(f"{self.prefix}/usr/lib/rabbitmq/lib/rabbitmq_server-*")[0]

    @property
    def _erts(self) -> str:
        return glob.glob(f"{self.prefix}/usr/lib/erlang/erts-*")[0]

    def start(self) -> None:
        """Begin to start the node; ``wait`` for it."""
        env = self._environment()
        self._epmd = spawn(
            [f"{self._erts}/bin/epmd", "-port", str(self._epmd_port), "-address", "127.0.0.1"], log=self.log, env=env
        )
        (self.folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{self.port}\n"
            f"load_definitions = {self._definitions()}\n"
            "vm_memory_high_watermark.absolute = 1GB\ndisk_free_limit.absolute = 100MB\nlog.console = false\n"
            "log.file.level = warning\n"
        )
        self.process = spawn(
            [f"{self._home}/sbin/rabbitmq-server"],
            log=self.log,
            env={**env, "RUNNING_UNDER_SYSTEMD": "true"},
            death_signal=signal.SIGKILL,
        )

    def wait(self) -> None:
        """Return when the node answers AMQP.

        Raises:
            ServerFailed: with the end of its log.
        """
        assert self.process is not None
        wait_until(lambda: answers("127.0.0.1", self.port), self.process, log=self.log, seconds=120)

    def stop(self) -> None:
        """End the node and its port mapper."""
        stop(self.process, signals=(signal.SIGTERM,))
        stop(self._epmd, signals=())
        self.process = self._epmd = None

    def kill(self) -> None:
        """Kill the node as a power cut would."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        stop(self._epmd, signals=())

    def _environment(self) -> dict[str, str]:
        folder, erts = self.folder, self._erts
        libraries = ""
        if self.prefix != Path("/"):
            machine = f"{platform.machine()}-linux-gnu"
            libraries = f"{self.prefix}/usr/lib/{machine}:{self.prefix}/lib/{machine}"
        exported = f"export LD_LIBRARY_PATH={libraries}\n" if libraries else ""
        erl = folder / "bin/erl"
        erl.write_text(
            f"#!/bin/sh\nexport ROOTDIR={self.prefix}/usr/lib/erlang BINDIR={erts}/bin EMU=beam PROGNAME=erl\n"
            f'{exported}exec "$BINDIR/erlexec" "$@"\n'
        )
        erl.chmod(0o755)
        cookie = folder / "home/.erlang.cookie"
        if not cookie.exists():
            cookie.write_text(secrets.token_hex(20))
            cookie.chmod(0o400)
        (folder / "plugins").write_text("[].")
        return {
            "PATH": f"{folder}/bin:{self._home}/sbin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": f"{folder}/home",
            "LC_ALL": "C.UTF-8",
            **({"LD_LIBRARY_PATH": libraries} if libraries else {}),
            "RABBITMQ_NODENAME": "effigate@localhost",
            "RABBITMQ_DIST_PORT": str(self._distribution_port),
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_MNESIA_BASE": f"{folder}/mnesia",
            "RABBITMQ_LOG_BASE": f"{folder}/log",
            "RABBITMQ_SCHEMA_DIR": f"{folder}/mnesia",
            "RABBITMQ_GENERATED_CONFIG_DIR": f"{folder}/mnesia",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/plugins",
            "RABBITMQ_CONFIG_FILE": f"{folder}/rabbitmq.conf",
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_PID_FILE": f"{folder}/pid",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        }

    def _definitions(self) -> Path:
        """Write users, vhosts and permissions; the node reads them at boot, which is cheaper than its tools."""
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        users = [self._user("admin", "administrator")]
        permissions = [{"user": "admin", "vhost": vhost, **everything} for vhost in self.vhosts]
        for service in self.services:
            users.append(self._user(f"svc-{service}", ""))
            live = rf"|{service}\.live\..*" if service == "portal-gateway" else ""
            rights = {
                "configure": rf"^({service}\.live\..*)$" if live else "^$",
                "write": rf"^(msp\.(events|replay){live})$",
                "read": rf"^({service}\.(events|replay|parked){live}{'|msp.events' if live else ''})$",
            }
            permissions += [{"user": f"svc-{service}", "vhost": vhost, **rights} for vhost in self.vhosts]
        path = self.folder / "definitions.json"
        path.write_text(
            json.dumps(
                {
                    "users": users,
                    "vhosts": [{"name": vhost} for vhost in self.vhosts],
                    "permissions": permissions,
                }
            )
        )
        return path

    def _user(self, name: str, tags: str) -> dict[str, str]:
        salt = secrets.token_bytes(4)
        digest = base64.b64encode(salt + hashlib.sha256(salt + self.password.encode()).digest()).decode()
        algorithm = "rabbit_password_hashing_sha256"
        return {"name": name, "password_hash": digest, "hashing_algorithm": algorithm, "tags": tags}

    def _password(self) -> str:
        secret = self.folder / "password"
        if not secret.exists():
            secret.touch(mode=0o600)
            secret.write_text(secrets.token_urlsafe(16))
        return secret.read_text()


def installed() -> Path | None:
    """Return ``/`` when the machine has RabbitMQ and Erlang installed."""
    has_both = glob.glob("/usr/lib/rabbitmq/lib/rabbitmq_server-*") and glob.glob("/usr/lib/erlang/erts-*")
    return Path("/") if has_both else None


def unpacked(cache: Path) -> Path:
    """Return a folder with RabbitMQ and Erlang from Debian's packages, fetched and unpacked once.

    Raises:
        ServerFailed: apt-get is missing or cannot fetch.
    """
    root = cache / "rabbitmq"
    if not (root / "complete").exists():
        partial = cache / f"rabbitmq.{os.getpid()}"
        debian.unpack("rabbitmq-server", into=partial, cache=cache, only=_CLOSURE)
        erlang = f"{root}/usr/lib/erlang"
        for script in (
            *glob.glob(f"{partial}/usr/lib/erlang/bin/erl"),
            *glob.glob(f"{partial}/usr/lib/erlang/erts-*/bin/erl"),
        ):
            path = Path(script)
            path.write_text(path.read_text().replace("ROOTDIR=/usr/lib/erlang", f"ROOTDIR={erlang}"))
        (partial / "complete").touch()
        if root.exists():
            shutil.rmtree(partial, ignore_errors=True)
        else:
            partial.rename(root)
    if not glob.glob(f"{root}/usr/lib/rabbitmq/lib/rabbitmq_server-*"):
        raise ServerFailed(f"{root} is not complete; remove it and try again, or install rabbitmq-server")
    return root
