"""Machines of a cluster on one machine: network namespaces on a bridge, each with a file-system root of its own.

A node sees the system, the interpreter and the code read-only, a /tmp, /dev/shm and /run that are its own, processes
that are its own, and the shared folder at the same path: all else differs. Needs root and the kernel's leave.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

import autodc

ROOT = Path(autodc.__file__).resolve().parents[1]
SEEN = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc", sys.prefix, sys.base_prefix, str(ROOT))
"""What every node has at the same path, read-only."""

ENTER = r"""
set -e
root=$1; shared=$2; shift 2
mount --make-rprivate /
mount -t tmpfs none "$root"
hostname "node-$NUMBER"
mkdir -p "$root/proc" "$root/dev" "$root/sys" "$root/tmp" "$root/run" "$root/root"
mount -t proc none "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs none "$root/dev/shm"
mount --rbind /sys "$root/sys"
mount -t tmpfs none "$root/tmp"
for path in $SEEN_PATHS; do
    [ -e "$path" ] || continue
    if [ -L "$path" ]; then ln -s "$(readlink "$path")" "$root$path"; continue; fi
    mkdir -p "$root$path"
    mount --bind "$path" "$root$path"
    mount -o remount,bind,ro "$root$path"
done
mkdir -p "$root$shared"
mount --bind "$shared" "$root$shared"
exec chroot "$root" "$@"
"""


class Nodes:
    """A bridge with nodes on it; the first, at 10.77.0.1, is the head, which sees this machine's files."""

    def __init__(self, folder: Path, shared: Path) -> None:
        self._folder, self._shared = folder, shared
        self._name = f"adc{secrets.token_hex(3)}"
        self._processes = list[subprocess.Popen[Any]]()
        self._made = list[str]()
        try:
            self._space("h")
            self._in("h", "ip", "link", "add", "br0", "type", "bridge")
            self._in("h", "ip", "addr", "add", "10.77.0.1/24", "dev", "br0")
            self._in("h", "ip", "link", "set", "br0", "up")
            self._in("h", "ip", "route", "add", "default", "dev", "br0")  # by it Ray finds its own address
        except BaseException:
            self.close()
            raise

    def address(self, number: int) -> str:
        """Of a node; the head is number 1."""
        return f"10.77.0.{number}"

    def head(self, command: Sequence[str], env: Mapping[str, str], **more: Any) -> subprocess.Popen[Any]:
        """Start a program on the head."""
        return self._start(["ip", "netns", "exec", f"{self._name}h", *command], env, **more)

    def node(self, number: int, command: Sequence[str], env: Mapping[str, str], **more: Any) -> subprocess.Popen[Any]:
        """Start a program on a node of its own; it ends with all it started."""
        space = str(number)
        self._space(space)
        inside, outside = f"{self._name}{space}", f"v{secrets.token_hex(3)}"
        self._in("h", "ip", "link", "add", outside, "type", "veth", "peer", "name", "eth0", "netns", inside)
        self._in("h", "ip", "link", "set", outside, "master", "br0", "up")
        self._in(space, "ip", "addr", "add", f"{self.address(number)}/24", "dev", "eth0")
        self._in(space, "ip", "link", "set", "eth0", "up")
        self._in(space, "ip", "route", "add", "default", "dev", "eth0")
        root = self._folder / f"root-{number}"
        root.mkdir()
        apart = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--uts", "--ipc"]
        enter = ["sh", "-c", ENTER, "enter", str(root), str(self._shared)]
        seen = {**env, "SEEN_PATHS": " ".join(dict.fromkeys(SEEN)), "NUMBER": str(number)}
        return self._start(["ip", "netns", "exec", inside, *apart, *enter, *command], seen, **more)

    def close(self) -> None:
        """End every process and take the network away."""
        for process in self._processes:
            kill(process)
        for name in self._made:
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)

    def _start(self, command: Sequence[str], env: Mapping[str, str], **more: Any) -> subprocess.Popen[Any]:
        process = subprocess.Popen(command, env=dict(env), start_new_session=True, **more)
        self._processes.append(process)
        return process

    def _space(self, space: str) -> None:
        _run("ip", "netns", "add", f"{self._name}{space}")
        self._made.append(f"{self._name}{space}")
        self._in(space, "ip", "link", "set", "lo", "up")

    def _in(self, space: str, *command: str) -> None:
        _run("ip", "netns", "exec", f"{self._name}{space}", *command)


def freeze(process: subprocess.Popen[Any]) -> None:
    """Stop all processes of a node where they stand, as a machine that hangs does: nothing is closed, nothing said."""
    for one in _below(process):
        with contextlib.suppress(psutil.Error):
            one.send_signal(signal.SIGSTOP)


def kill(process: subprocess.Popen[Any]) -> None:
    """End all processes of a node at once."""
    for one in _below(process):
        with contextlib.suppress(psutil.Error):
            one.kill()
    process.wait()


def why_not() -> str:
    """Why no nodes can be made here; empty where they can."""
    if os.geteuid() != 0:
        return "nodes are made of namespaces, which needs root"
    if missing := [program for program in ("ip", "unshare", "chroot") if shutil.which(program) is None]:
        return f"there is no {', '.join(missing)}"
    trial = "ip link add b0 type bridge && ip link add v0 type veth peer name v1 && mount -t tmpfs none /mnt"
    done = subprocess.run(["unshare", "-n", "-m", "sh", "-c", trial], capture_output=True, text=True, check=False)
    return f"the kernel does not let namespaces be made: {done.stderr.strip()}" if done.returncode else ""


def _below(process: subprocess.Popen[Any]) -> list[psutil.Process]:
    try:
        top = psutil.Process(process.pid)
        return [top, *top.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
