"""Writes frames.json beside itself: the frames of docs/PROTOCOL.md as bytes and as values.

It is made from the document alone, with Python's `msgpack` and `struct`, and shares nothing with the relay. Run
`python3 generate.py` after a change of the protocol; the same program always writes the same file.

frames    every type: `hex` and `values` (section 2). Bytes are {"hex": "…"}. Integers come in several widths; all must
          be read, and what is written need not be as wide. A large frame has `hexPrefix`, `length` and `sha256` in
          place of `hex`, and bytes as {"repeat": "ab", "count": 65536}.
batches   several frames in one WebSocket message: `hex`, and `frames`, a list of values.
ignored   frames from a later relay, of types that a client must ignore.
invalid   WebSocket messages that the relay must refuse with ERROR 400 `protocol_error` and close code 4500, when sent
          after WELCOME. Where one starts with a good frame, that frame has taken effect.
"""

from __future__ import annotations

import hashlib
import json
import struct
from pathlib import Path
from typing import Any

import msgpack

CHANNEL, OTHER, SENDER = 0x01020304, 0x7FFFFFFF, 0x5A5A5A5A
MAX = 2**53 - 1
WIDTHS = {8: ("cc", ">B"), 16: ("cd", ">H"), 32: ("ce", ">I"), 64: ("cf", ">Q")}


class Wide(int):
    """An integer written in a given width, were there a shorter one or not."""

    bits: int

    def __new__(cls, value: int, bits: int) -> Wide:
        wide = super().__new__(cls, value)
        wide.bits = bits
        return wide


class Raw(bytes):
    """Bytes that go into a frame as they are."""


class Repeat:
    """A large body: one byte, many times."""

    def __init__(self, byte: int, count: int):
        self.byte, self.count = byte, count


def element(value: Any) -> bytes:
    """One element of a frame, in the shortest form unless it is Wide."""
    if isinstance(value, Wide):
        code, layout = WIDTHS[value.bits]
        return bytes.fromhex(code) + struct.pack(layout, value)
    if isinstance(value, Repeat):
        return msgpack.packb(bytes([value.byte]) * value.count)
    if isinstance(value, Raw):
        return bytes(value)
    return msgpack.packb(value)


def frame(*values: Any) -> bytes:
    """A frame; MESSAGE in its one legal encoding (section 7)."""
    if values[0] == 4:
        _, channel_id, seq, sender, envelope, body = values
        values = (4, Wide(channel_id, 32), Wide(seq, 64), Wide(sender, 32), envelope, body)
    return bytes([0x90 | len(values)]) + b"".join(element(value) for value in values)


def plain(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    if isinstance(value, Repeat):
        return {"repeat": f"{value.byte:02x}", "count": value.count}
    if isinstance(value, Wide):
        return int(value)
    return value


def entry(name: str, direction: str, *values: Any) -> dict[str, Any]:
    """A frame as the file has it."""
    data = frame(*values)
    told: dict[str, Any] = {"name": name, "direction": direction, "values": [plain(value) for value in values]}
    if len(data) <= 1024:
        return {**told, "hex": data.hex()}
    return {**told, "hexPrefix": data[:64].hex(), "length": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def widths(values: list[int]) -> list[tuple[str, int]]:
    """Each value in the shortest form, and 1 in the longer ones too."""
    shortest: list[tuple[str, int]] = [(f"{value}", value) for value in values]
    return shortest + [(f"1 as u{bits}", Wide(1, bits)) for bits in WIDTHS]


# The largest and the smallest value of each form: fixint, u8, u16, u32, u64.
EDGES = [0, 1, 127, 128, 255, 256, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1]
SEQS = [*EDGES, 2**32, MAX]


def frames() -> list[dict[str, Any]]:
    """Every type of frame, with its variants."""
    up, down = "to-relay", "to-client"
    token, long_token = "aaaa.bbbb.cccc", ".".join(["a" * 100, "b" * 300, "c" * 86])
    limits = {
        "bytesPerSecond": 134217728,
        "framesPerSecond": 100000,
        "maxAttachments": 1000,
        "maxBufferedBytes": 1048576,
        "maxFrameBytes": 65536,
        "maxMessageBytes": 262144,
        "slowConsumerTimeoutMs": 10000,
    }
    info = {"boot": "0f8b2c9e", "expiry": 1790000000, "limits": limits}
    all = [
        entry("HELLO", up, 1, 1, token),
        entry("HELLO, version as u32", up, 1, Wide(1, 32), token),
        entry("HELLO, token as str 16", up, 1, 1, long_token),
        entry("HELLO, another version", up, 1, 2, token),
        entry("ATTACH, subscribe", up, 2, 1, "room.a", 1),
        entry("ATTACH, all modes", up, 2, 2, "room.a", 15),
        entry("ATTACH, modes as u8", up, 2, 3, "room.a", Wide(7, 8)),
        entry("ATTACH, modes as u64", up, 2, Wide(4, 64), "room.a", Wide(3, 64)),
        entry("ATTACH, a pattern", up, 2, 5, "room.*.news.>", 1),
        entry("ATTACH, name as str 8", up, 2, 6, "room." + "a" * 95, 2),
        entry("ATTACH, the longest name", up, 2, 7, ".".join(["a" * 12] * 15 + ["z" * 5]), 1),
        entry("ATTACH, all characters of a segment's edges", up, 2, 8, "!.~", 4),
        entry("DETACH", up, 3, 1, CHANNEL),
        entry("DETACH, the largest id", up, 3, 1, OTHER),
        entry("DETACH, the smallest id", up, 3, 1, 1),
        entry("DETACH, id as u64", up, 3, 1, Wide(CHANNEL, 64)),
        entry("RENEW", up, 5, 1, token),
        entry("RENEW, token as str 16", up, 5, 1, long_token),
        *(entry(f"PING, ref {name}", up, 6, ref) for name, ref in widths(EDGES)),
    ]
    bodies = {
        "empty body": b"",
        "body of 1 byte": b"\x00",
        "body of 255 bytes, bin 8": bytes(range(255)),
        "body of 256 bytes, bin 16": bytes(range(256)),
        "body of 65,535 bytes, bin 16": Repeat(0xAB, 65535),
        "body of 65,536 bytes, bin 32": Repeat(0xAB, 65536),
        "body of 100,000 bytes, bin 32": Repeat(0xAB, 100_000),
    }
    envelopes = {"empty envelope": b"", "envelope": b"\x01\x02\xff", "envelope, bin 16": b"e" * 256}
    for name, body in bodies.items():
        all.append(entry(f"MESSAGE, {name}", up, 4, CHANNEL, 0, 0, None, body))
        all.append(entry(f"MESSAGE, {name}", down, 4, CHANNEL, 1, SENDER, None, body))
    for name, envelope in envelopes.items():
        all.append(entry(f"MESSAGE, {name}", up, 4, CHANNEL, 0, 0, envelope, b"body"))
        all.append(entry(f"MESSAGE, {name}", down, 4, CHANNEL, 1, SENDER, envelope, b"body"))
    all += [
        entry("MESSAGE, large envelope and body", down, 4, CHANNEL, 1, SENDER, Repeat(0xCD, 70_000), Repeat(0xAB, 256)),
        entry("MESSAGE, body that looks like frames", up, 4, CHANNEL, 0, 0, None, frame(6, 1) + frame(6, 2)),
        entry("MESSAGE, seq and sender that are not read", up, 4, CHANNEL, MAX, 2**31 - 1, None, b"body"),
        entry("MESSAGE, the smallest id", up, 4, 1, 0, 0, None, b"body"),
        entry("MESSAGE, the largest id", up, 4, OTHER, 0, 0, None, b"body"),
        entry("MESSAGE, from HTTP", down, 4, CHANNEL, 1, 0, None, b"body"),
        entry("MESSAGE, the largest sender", down, 4, CHANNEL, 1, OTHER, None, b"body"),
        *(entry(f"MESSAGE, seq {seq}", down, 4, CHANNEL, seq, SENDER, None, b"body") for seq in SEQS if seq > 1),
        entry("WELCOME", down, 16, SENDER, info),
        entry("WELCOME, the smallest sender", down, 16, 1, info),
        entry("WELCOME, more in info than this version has", down, 16, SENDER, {**info, "later": [1, {"a": None}]}),
        *(entry(f"ATTACHED, seq {name}", down, 17, 1, CHANNEL, 3, seq, 1) for name, seq in widths(SEQS)),
        entry("ATTACHED, all modes, the largest ref and id", down, 17, 2**32 - 1, OTHER, 15, 7, 65536),
        entry("ATTACHED, a pattern", down, 17, 5, CHANNEL, 1, 0, 0),
        entry("DETACHED, answer", down, 18, 1, CHANNEL, 200, "detached"),
        entry("DETACHED, ref 0", down, 18, 0, CHANNEL, 200, "detached"),
        entry("DETACHED, forbidden", down, 18, None, CHANNEL, 403, "forbidden"),
        entry("DETACHED, channel ended", down, 18, None, CHANNEL, 200, "channel_ended"),
        entry("RENEWED", down, 19, 1, 1790000000),
        entry("RENEWED, after 2106", down, 19, 1, 2**32),
        *(entry(f"PONG, ref {name}", down, 20, ref) for name, ref in widths(EDGES)),
        entry("ERROR, answer", down, 21, 1, 403, "forbidden", "the token does not permit this", None),
        entry("ERROR, answer about a channel", down, 21, 1, 409, "already_attached", "detach first", CHANNEL),
        entry("ERROR, of a MESSAGE", down, 21, None, 404, "not_attached", "not attached to that channel", CHANNEL),
        entry("ERROR, ahead of a close", down, 21, None, 400, "protocol_error", "", None),
        entry("ERROR, detail of two-byte characters", down, 21, 0, 500, "internal_error", "é" * 20, None),
        *(entry(f"HEAD, seq {name}", down, 22, CHANNEL, seq, 0) for name, seq in widths(SEQS)),
        *(entry(f"HEAD, own {name}", down, 22, CHANNEL, MAX, own) for name, own in widths([1, 2**32, MAX])),
        entry("LEFT", down, 23, CHANNEL, SENDER),
        *(entry(f"OCCUPANCY, {name}", down, 24, CHANNEL, count) for name, count in widths(EDGES)),
        entry("EXPIRING", down, 25, 30000),
        entry("GOAWAY", down, 26, 12345, "shutdown"),
        entry("GOAWAY, at once, without a reason", down, 26, 0, ""),
        *(entry(f"NAMED, seq {name}", down, 27, CHANNEL, "room.a", seq) for name, seq in widths(SEQS)),
    ]
    return sorted(all, key=lambda told: told["values"][0])


def batches() -> list[dict[str, Any]]:
    """Several frames in one WebSocket message."""

    def batch(name: str, direction: str, *values: tuple[Any, ...]) -> dict[str, Any]:
        told = [[plain(value) for value in one] for one in values]
        return {"name": name, "direction": direction, "hex": b"".join(frame(*v) for v in values).hex(), "frames": told}

    message = (4, CHANNEL, 0, 0, None, b"body")
    return [
        batch("one frame", "to-relay", (6, 1)),
        batch("two PINGs", "to-relay", (6, 1), (6, 2)),
        batch("attach twice, detach, ping", "to-relay", (2, 1, "room.a", 3), (2, 2, "room.b", 1), (3, 3, 1), (6, 4)),
        batch("publish and flush", "to-relay", message, (4, CHANNEL, 0, 0, b"envelope", b""), (6, 9)),
        batch("a hundred messages", "to-relay", *[message] * 100),
        batch("pattern attached", "to-client", (17, 1, OTHER, 1, 0, 0), (27, 9, "room.b", 2**32)),
        batch("named, then its first frame", "to-client", (27, 9, "room.b", 0), (4, 9, 1, SENDER, None, b"body")),
        batch("lost frames", "to-client", (4, 9, 5, SENDER, None, b"body"), (22, 9, 9, 2), (24, 9, 3), (20, 1)),
        batch("gone", "to-client", (4, 9, 6, SENDER, b"", b""), (23, 9, SENDER), (24, 9, 1)),
        batch("unknown in the middle", "to-client", (20, 1), (99, "later", {"a": [1, None]}), (20, 2)),
    ]


def ignored() -> list[dict[str, Any]]:
    """Frames of types that version 1 does not have."""
    later = [(28, 1), (99,), (127, None, {"a": [1, b"\x00"]}, "text", 1.5, True), (15, CHANNEL)]
    return [{"name": f"type {values[0]}", "direction": "to-client", "hex": frame(*values).hex()} for values in later]


def invalid() -> list[dict[str, Any]]:
    """What the relay must refuse as a protocol error."""
    ping, channel, seq, sender = frame(6, 1), Wide(CHANNEL, 32), Wide(0, 64), Wide(0, 32)
    message = frame(4, CHANNEL, 0, 0, None, b"body")
    head = bytes.fromhex("9604") + element(channel) + element(seq) + element(sender)

    def raw(*parts: Any) -> bytes:
        """An array, without the rules of MESSAGE."""
        return bytes([0x90 | len(parts)]) + b"".join(element(part) for part in parts)

    h = bytes.fromhex
    cases: list[tuple[str, bytes]] = [
        ("an empty message", b""),
        ("not msgpack: the byte c1", h("c1")),
        ("not msgpack: c1 in an element", h("9206c1")),
        ("not an array: an integer", h("06")),
        ("not an array: nil", h("c0")),
        ("not an array: a str", h("a471756974")),
        ("not an array: a bin", h("c4029206")),
        ("not an array: a map", h("810601")),
        ("not an array: an ext", h("d40106")),
        ("not an array: a float", h("cb4018000000000000")),
        ("an empty array", h("90")),
        ("a type that is not an integer: a str", raw("6", 1)),
        ("a type that is not an integer: nil", raw(None, 1)),
        ("a type that is not an integer: a float", h("92cb401800000000000001")),
        ("a type that is not a positive fixint: u8", h("92cc0601")),
        ("a type that is not a positive fixint: u16", h("92cd000601")),
        ("a type that is not a positive fixint: negative", h("92fa01")),
        ("unknown type 0", raw(0, 1)),
        ("unknown type 7", raw(7, 1)),
        ("unknown type 15", raw(15, 1)),
        ("unknown type 127", raw(127, 1)),
        ("a type for clients only: WELCOME", raw(16, 1, {})),
        ("a type for clients only: PONG", raw(20, 1)),
        ("a type for clients only: NAMED", raw(27, CHANNEL, "room.a", 0)),
        ("a second HELLO", frame(1, 1, "aaaa.bbbb.cccc")),
        ("wrong array length: PING of 1", h("9106")),
        ("wrong array length: PING of 3", raw(6, 1, 1)),
        ("wrong array length: ATTACH of 3", raw(2, 1, "room.a")),
        ("wrong array length: ATTACH of 5", raw(2, 1, "room.a", 1, None)),
        ("wrong array length: DETACH of 2", raw(3, 1)),
        ("wrong array length: RENEW of 4", raw(5, 1, "token", None)),
        ("wrong array length: MESSAGE of 5", h("9504") + message[2:22]),
        ("wrong array length: MESSAGE of 7", h("9704") + message[2:] + h("c0")),
        ("wrong element type: ref a str", raw(6, "1")),
        ("wrong element type: ref nil", raw(6, None)),
        ("wrong element type: ref a bool", raw(6, True)),
        ("wrong element type: ref a float 64", raw(6, 1.0)),
        ("wrong element type: ref a float 32", h("9206ca3f800000")),
        ("wrong element type: ref an ext", h("9206d40101")),
        ("wrong element type: ref a timestamp", h("9206d6ff00000001")),
        ("wrong element type: ref a map", raw(6, {})),
        ("wrong element type: ref an array", raw(6, [1])),
        ("wrong element type: ref a bin", raw(6, b"\x01")),
        ("wrong element type: channel nil", raw(2, 1, None, 1)),
        ("wrong element type: channel an integer", raw(2, 1, 7, 1)),
        ("wrong element type: channel a bin", raw(2, 1, b"room.a", 1)),
        ("wrong element type: modes a str", raw(2, 1, "room.a", "1")),
        ("wrong element type: modes a float", raw(2, 1, "room.a", 1.0)),
        ("wrong element type: channelId a str", raw(3, 1, "room.a")),
        ("wrong element type: channelId nil", raw(3, 1, None)),
        ("wrong element type: token an integer", raw(5, 1, 7)),
        ("wrong element type: token a map", raw(5, 1, {"token": "a"})),
        ("negative: ref", raw(6, -1)),
        ("negative: modes", raw(2, 1, "room.a", -1)),
        ("too large: ref of 2^32", raw(6, 2**32)),
        ("too large: ref of 2^53", raw(6, 2**53)),
        ("too large: ref of 2^64-1", raw(6, 2**64 - 1)),
        ("too large: channelId of 2^53", raw(3, 1, 2**53)),
        ("cut short: an array without elements", h("92")),
        ("cut short: an array with one element of two", h("9206")),
        ("cut short: an integer", h("9206ce0000")),
        ("cut short: a str", h("940201a6726f6f")),
        ("cut short: after a good frame", ping + h("9206")),
        ("overlong: a byte after a frame", ping + h("00")),
        ("overlong: a byte after a MESSAGE", message + h("c0")),
        ("huge declared length: array 32", h("ddffffffff")),
        ("huge declared length: array 32 of type 6", h("ddffffffff0601")),
        ("huge declared length: map 32", h("9206dfffffffff")),
        ("huge declared length: str 32", h("940201dbffffffff61")),
        ("huge declared length: bin 32", h("9206c6ffffffff00")),
        ("huge declared length: ext 32", h("9206c9ffffffff0100")),
        ("huge declared length: MESSAGE body", head + h("c0c6ffffffff00")),
        ("huge declared length: MESSAGE envelope", head + h("c6ffffffff00")),
        ("deep nesting: 512 arrays", h("9206") + h("91") * 512 + h("01")),
        ("deep nesting: 512 maps", h("9206") + h("8101") * 512 + h("01")),
        ("deep nesting: 512 arrays, cut short", h("91") * 512),
        ("MESSAGE: channelId as u16", raw(4, Wide(772, 16), seq, sender, None, b"body")),
        ("MESSAGE: channelId as u64", raw(4, Wide(CHANNEL, 64), seq, sender, None, b"body")),
        ("MESSAGE: channelId nil", raw(4, None, seq, sender, None, b"body")),
        ("MESSAGE: seq as fixint", raw(4, channel, 0, sender, None, b"body")),
        ("MESSAGE: seq as u32", raw(4, channel, Wide(0, 32), sender, None, b"body")),
        ("MESSAGE: seq as i64", raw(4, channel, Raw(h("d30000000000000000")), sender, None, b"body")),
        ("MESSAGE: seq nil", raw(4, channel, None, sender, None, b"body")),
        ("MESSAGE: seq a float", raw(4, channel, 0.0, sender, None, b"body")),
        ("MESSAGE: sender as fixint", raw(4, channel, seq, 0, None, b"body")),
        ("MESSAGE: sender as u64", raw(4, channel, seq, Wide(0, 64), None, b"body")),
        ("MESSAGE: all integers as short as they go", raw(4, CHANNEL, 0, 0, None, b"body")),
        ("MESSAGE: type as u8", h("96cc04") + message[2:]),
        ("MESSAGE: array 16", h("dc000604") + message[2:]),
        ("MESSAGE: envelope a str", raw(4, channel, seq, sender, "env", b"body")),
        ("MESSAGE: envelope an integer", raw(4, channel, seq, sender, 0, b"body")),
        ("MESSAGE: envelope a map", raw(4, channel, seq, sender, {}, b"body")),
        ("MESSAGE: envelope an ext", head + h("d40100") + element(b"body")),
        ("MESSAGE: body nil", raw(4, channel, seq, sender, None, None)),
        ("MESSAGE: body a str", raw(4, channel, seq, sender, None, "body")),
        ("MESSAGE: body an array", raw(4, channel, seq, sender, None, [1])),
        ("MESSAGE: body an ext", head + h("c0d40100")),
        ("MESSAGE: body as bin 16 where bin 8 would do", head + h("c0c5000401020304")),
        ("MESSAGE: body as bin 32 where bin 8 would do", head + h("c0c60000000401020304")),
        ("MESSAGE: body of 255 bytes as bin 16", head + h("c0c500ff") + bytes(255)),
        ("MESSAGE: body of 256 bytes as bin 32", head + h("c0c600000100") + bytes(256)),
        ("MESSAGE: empty body as bin 16", head + h("c0c50000")),
        ("MESSAGE: envelope as bin 16 where bin 8 would do", head + h("c5000101") + element(b"body")),
        ("MESSAGE: empty envelope as bin 32", head + h("c600000000") + element(b"body")),
        ("MESSAGE: cut short in its head", message[:12]),
        ("MESSAGE: cut short ahead of its envelope", message[:21]),
        ("MESSAGE: cut short in its envelope", head + h("c4080102")),
        ("MESSAGE: cut short ahead of its body", message[:22]),
        ("MESSAGE: cut short in the length of its body", head + h("c0c501")),
        ("MESSAGE: cut short in its body", message[:-1]),
        ("MESSAGE: a good one, then half of one", message + message[:9]),
    ]
    return [{"reason": reason, "hex": data.hex()} for reason, data in cases]


def main() -> None:
    """Write the file."""
    vectors = {"batches": batches(), "frames": frames(), "ignored": ignored(), "invalid": invalid()}
    text = json.dumps(vectors, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    Path(__file__).with_name("frames.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
