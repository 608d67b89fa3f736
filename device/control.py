"""The device's end of the control socket: polled from the loop, never waiting."""

from __future__ import annotations

import grp
import json
import os
import pwd
import select
import socket
import struct
from pathlib import Path
from typing import Any

from device.commands import MAX_LINE, validate

MAX_PEERS = 8


class ControlServer:
    """Takes requests from this user, root and members of the socket's group, and nobody else."""

    def __init__(self, path: Path) -> None:
        """Listen at `path` (mode 0660), replacing what a dead device left. Raises OSError."""
        self._path = path
        path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        self._listener.bind(str(path))
        path.chmod(0o660)
        self._listener.listen(MAX_PEERS)
        self._welcome = _welcome_users(path)
        self._peers: dict[int, tuple[socket.socket, bytearray]] = {}
        self._poll = select.poll()
        self._poll.register(self._listener, select.POLLIN)
        self.refused = 0  # peers turned away

    def poll(self) -> list[dict[str, Any]]:
        """The well-formed requests that have come since the last call; each is already answered."""
        requests: list[dict[str, Any]] = []
        for number, _ in self._poll.poll(0):
            if number == self._listener.fileno():
                self._accept()
            elif number in self._peers:
                requests += self._receive(number)
        return requests

    def _accept(self) -> None:
        peer, _ = self._listener.accept()
        peer.setblocking(False)
        _, uid, _ = struct.unpack("iII", peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        if uid not in self._welcome or len(self._peers) >= MAX_PEERS:
            self.refused += 1
            peer.close()
            return
        self._peers[peer.fileno()] = peer, bytearray()
        self._poll.register(peer, select.POLLIN)

    def _receive(self, number: int) -> list[dict[str, Any]]:
        peer, buffer = self._peers[number]
        try:
            part = peer.recv(MAX_LINE)
        except BlockingIOError:
            return []
        except OSError:
            part = b""
        buffer += part
        requests = []
        while (end := buffer.find(b"\n")) >= 0:
            line = bytes(buffer[:end])
            del buffer[: end + 1]
            if request := self._answer(peer, line):
                requests.append(request)
        if not part or len(buffer) > MAX_LINE:
            self._part_with(number)
        return requests

    def _answer(self, peer: socket.socket, line: bytes) -> dict[str, Any] | None:
        try:
            request = json.loads(line) if len(line) <= MAX_LINE else None
        except (ValueError, RecursionError):
            request = None
        fault = validate(request)
        name = request.get("request", "") if isinstance(request, dict) else ""
        answer = {"request": name, "accepted": not fault, "detail": fault}
        try:
            peer.send(json.dumps(answer).encode() + b"\n")
        except OSError:  # it went away, or does not read: its request stands all the same
            self.refused += 1
        return request if not fault else None

    def _part_with(self, number: int) -> None:
        peer, _ = self._peers.pop(number)
        self._poll.unregister(peer)
        peer.close()

    def close(self) -> None:
        for number in list(self._peers):
            self._part_with(number)
        self._listener.close()
        self._path.unlink(missing_ok=True)


def _welcome_users(path: Path) -> set[int]:
    """User ids that may speak: looked up once, since a look-up may block."""
    welcome = {0, os.geteuid()}
    try:
        members = grp.getgrgid(path.stat().st_gid).gr_mem
        return welcome | {pwd.getpwnam(member).pw_uid for member in members}
    except KeyError:  # a group or a member without an entry adds nobody
        return welcome
