"""A client of the Mayfly protocol, version 1, written from docs/PROTOCOL.md alone.

Python 3.11, `websockets` and `msgpack`. Requests are coroutines; what the relay says of its own accord arrives, in
order, in the queue `Client.events`. To come back after a close is left to the caller (section 13).

    client = await Client.connect("wss://relay.example/v1/ws", token)
    channel = await client.attach("room.a", SUBSCRIBE | PUBLISH)
    await client.publish(channel, b"ciphertext")
    while not isinstance(event := await client.events.get(), Closed):
        print(event)
"""

from __future__ import annotations

import asyncio
import itertools
import ssl
import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Iterator

import msgpack
import websockets

SUBSCRIBE, PUBLISH, PRESENCE, ECHO = 1, 2, 4, 8
REFS = itertools.count(1)


class Type(IntEnum):
    """The types of frames (section 2)."""

    HELLO, ATTACH, DETACH, MESSAGE, RENEW, PING = range(1, 7)
    WELCOME, ATTACHED, DETACHED, RENEWED, PONG, ERROR, HEAD, LEFT, OCCUPANCY, EXPIRING, GOAWAY, NAMED = range(16, 28)


@dataclass(eq=False)
class Channel:
    """A channel, as this connection knows it. The id is the channel's epoch: another id, another count."""

    id: int
    name: str
    modes: int  # 0 for a channel seen through a pattern only
    base: int  # its number at ATTACHED or NAMED, the later of the two
    occupancy: int = 0
    others: int = 0  # frames received since `base` from other senders
    lost: int = 0  # since `base`
    last: int = 0  # the latest number known

    def missed_since(self, before: Channel) -> int | None:
        """How many frames passed between `before`, of an earlier connection, and this; None if nobody knows."""
        return self.base - before.last if self.id == before.id else None


@dataclass(frozen=True)
class Message:
    """A frame of a channel. Sender 0 published over HTTP."""

    channel: Channel
    seq: int
    sender: int
    envelope: bytes | None
    body: bytes


@dataclass(frozen=True)
class Notice:
    """What else the relay says of its own accord. `value`, by `kind`: LOST, how many frames of others this connection
    was too slow for; LEFT, the sender; OCCUPANCY, the count; NAMED, the seq; DETACHED, the code; EXPIRING, the
    milliseconds left; GOAWAY, the milliseconds to wait before coming back."""

    kind: str
    channel: Channel | str | None  # a str where it is a pattern
    value: Any


@dataclass(frozen=True)
class Closed:
    """The connection has ended. Come back, after a growing, random wait, unless the code is from 4500 to 4999."""

    close_code: int
    reason: str


class Refused(Exception):
    """An ERROR: raised by the request that it answers, or an event where it answers none."""

    def __init__(self, status: int, code: str, detail: str, channel_id: int | None = None):
        super().__init__(f"{status} {code}: {detail}")
        self.status, self.code, self.detail, self.channel_id = status, code, detail, channel_id
        self.close_code: int | None = None  # for a refused HELLO


def message_frame(channel_id: int, body: bytes, envelope: bytes | None = None) -> bytes:
    """MESSAGE in its one legal encoding (section 7); seq and sender are for the relay to write."""
    head = struct.pack(">3sIBQBI", b"\x96\x04\xce", channel_id, 0xCF, 0, 0xCE, 0)
    return head + msgpack.packb(envelope) + msgpack.packb(body)


def frames_of(message: bytes) -> Iterator[list[Any]]:
    """The frames of one WebSocket message, which are back to back."""
    unpacker = msgpack.Unpacker(strict_map_key=False)
    unpacker.feed(message)
    yield from unpacker


def matches(pattern: str, name: str) -> bool:
    """Whether a pattern covers a name (section 5)."""
    parts, segments = pattern.split("."), name.split(".")
    if parts[-1] == ">" and len(segments) >= len(parts):
        parts, segments = parts[:-1], segments[: len(parts) - 1]
    return len(parts) == len(segments) and all(p in ("*", s) for p, s in zip(parts, segments))


class Client:
    """One connection to a relay."""

    def __init__(self, socket: websockets.WebSocketClientProtocol):
        self.sender = 0
        self.info: dict[str, Any] = {}
        self.channels: dict[int, Channel] = {}
        self.patterns: dict[int, str] = {}
        self.events: asyncio.Queue[Any] = asyncio.Queue()
        self._socket = socket
        self._welcome: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._asked: dict[int, tuple[asyncio.Future[Any], Any]] = {}
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def connect(cls, url: str, token: str, tls: ssl.SSLContext | None = None) -> Client:
        """Open a connection and say HELLO. A refusal is raised with the close code that followed it."""
        options = {"ssl": tls, "subprotocols": ["mayfly.v1"], "compression": None, "max_size": None}
        client = cls(await websockets.connect(url, **options))
        await client.send(msgpack.packb([Type.HELLO, 1, token]))
        try:
            await client._welcome
        except Refused as refused:
            refused.close_code = (await client.events.get()).close_code
            raise
        return client

    async def close(self) -> None:
        """End the connection."""
        await self._socket.close()
        await self._reader

    async def attach(self, name: str, modes: int) -> Channel | str:
        """Attach a channel, or with modes SUBSCRIBE a pattern, whose channels come as NAMED notices."""
        return await self._ask(Type.ATTACH, name, modes)

    async def detach(self, channel: Channel | str) -> None:
        """End an attachment: a channel's, or a pattern's by its text."""
        ids = {pattern: id for id, pattern in self.patterns.items()}
        await self._ask(Type.DETACH, channel.id if isinstance(channel, Channel) else ids[channel])

    async def publish(self, channel: Channel, body: bytes, envelope: bytes | None = None) -> None:
        """Send one frame. There is no acknowledgement: a refusal is an event, and `flush` tells when it was handled."""
        await self.send(message_frame(channel.id, body, envelope))

    async def flush(self) -> None:
        """PING: return when all that was sent before has taken effect and its refusals are in `events`."""
        await self._ask(Type.PING)

    async def renew(self, token: str) -> int:
        """Go on with a fresh token; its expiry, in seconds since 1970."""
        return await self._ask(Type.RENEW, token)

    async def send(self, *frames: bytes) -> None:
        """Send frames, already encoded, in one WebSocket message."""
        await self._socket.send(b"".join(frames))

    async def _ask(self, kind: int, *arguments: Any) -> Any:
        ref, answer = next(REFS) & 0xFFFFFFFF, asyncio.get_running_loop().create_future()
        self._asked[ref] = answer, arguments[0] if arguments else None
        try:
            await self.send(msgpack.packb([kind, ref, *arguments]))
            return await answer
        finally:
            self._asked.pop(ref, None)

    async def _read(self) -> None:
        try:
            async for message in self._socket:
                for frame in frames_of(message):
                    self._on_frame(frame)
        except websockets.ConnectionClosedError:
            pass
        finally:
            code, reason = self._socket.close_code or 1006, self._socket.close_reason or ""
            for answer in [self._welcome, *(answer for answer, _ in self._asked.values())]:
                if not answer.done():
                    answer.set_exception(ConnectionError(f"{code} {reason}"))
            self.events.put_nowait(Closed(code, reason))

    def _on_frame(self, frame: list[Any]) -> None:
        tell = self.events.put_nowait
        match frame:
            case [Type.MESSAGE, id, seq, sender, envelope, body] if channel := self.channels.get(id):
                channel.last, channel.others = seq, channel.others + (sender != self.sender)
                if sender != self.sender or channel.modes & ECHO:
                    tell(Message(channel, seq, sender, envelope, body))
            case [Type.HEAD, id, seq, own] if channel := self.channels.get(id):
                newly = seq - channel.base - channel.others - own - channel.lost
                channel.last, channel.lost = seq, channel.lost + newly
                if newly:
                    tell(Notice("LOST", channel, newly))
            case [Type.LEFT | Type.OCCUPANCY as kind, id, value] if channel := self.channels.get(id):
                channel.occupancy = value if kind == Type.OCCUPANCY else channel.occupancy
                tell(Notice(Type(kind).name, channel, value))
            case [Type.NAMED, id, name, seq]:
                self.channels[id] = Channel(id, name, 0, seq, last=seq)
                tell(Notice("NAMED", self.channels[id], seq))
            case [Type.ATTACHED, ref, id, modes, seq, occupancy] if ref in self._asked:
                if set("*>") & set(name := self._asked[ref][1]):
                    self.patterns[id] = name
                else:
                    self.channels[id] = Channel(id, name, modes, seq, occupancy, last=seq)
                self._answer(ref, self.channels.get(id, name))
            case [Type.DETACHED, ref, id, _, code]:
                ended = self._forget(id, code)
                tell(Notice("DETACHED", ended, code)) if ref is None else self._answer(ref, None)
            case [Type.RENEWED | Type.PONG, ref, *value]:
                self._answer(ref, *value)
            case [Type.ERROR, ref, status, code, detail, id]:
                answer = tell if self._welcome.done() else self._welcome.set_exception
                refused = Refused(status, code, detail, id)
                answer(refused) if ref is None else self._answer(ref, refused)
            case [Type.EXPIRING | Type.GOAWAY as kind, in_ms, *_]:
                tell(Notice(Type(kind).name, None, in_ms))
            case [Type.WELCOME, sender, info]:
                self.sender, self.info = sender, info
                self._welcome.set_result(None)
            # Of any other type: a later relay may say more, and this client need not know.

    def _answer(self, ref: int, value: Any = None) -> None:
        if ref in self._asked and not (answer := self._asked[ref][0]).done():
            answer.set_exception(value) if isinstance(value, Refused) else answer.set_result(value)

    def _forget(self, id: int, code: str) -> Channel | str | None:
        """Drop what a DETACHED ended, but for channels that an attached pattern still brings."""
        ended = self.patterns.pop(id, None) or self.channels.get(id)
        for channel in [*self.channels.values()]:
            channel.modes = 0 if channel.id == id else channel.modes
            covered = any(matches(pattern, channel.name) for pattern in self.patterns.values())
            if channel.modes == 0 and not covered or channel.id == id and code == "channel_ended":
                del self.channels[channel.id]
        return ended
