"""Mayfly's end-to-end encryption, version 1, written from docs/ENCRYPTION.md alone.

Python 3.11 and `cryptography`. Reads requests from stdin, one JSON object a line, and writes one JSON object a line:

    {"op": "seal", "secret", "generation", "channel", "sender", "envelope", "kind", "data", "count"} -> {"bodies"}
    {"op": "open", "secret", "generation", "channel", "sender", "envelope", "body"} -> {"kind", "data"} or {"refused"}
    {"op": "passphrase", "passphrase", "salt"} -> {"secret"}
    {"op": "blind", "key", "name"} -> {"name"}
    {"op": "derive", "secret", "channel", "sender", "kid"} -> {"base_key", "sframe_key", "sframe_salt"}

Byte strings are hexadecimal; an envelope may be null. What was opened once is refused the second time.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import sys
import unicodedata
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

CIPHER_SUITE = 5
TAG_BYTES = 16
WINDOW = 1024
MARKER = b"\x80"


class Refused(Exception):
    """Names the first check of section 6 that failed."""


# Section 2: the header


def value_bytes(value: int) -> bytes:
    """The bytes that follow the config byte, none below 8."""
    return b"" if value < 8 else value.to_bytes((value.bit_length() + 7) // 8, "big")


def encode_header(kid: int, ctr: int) -> bytes:
    fields = [(value, value_bytes(value)) for value in (kid, ctr)]
    bits = [8 + len(raw) - 1 if raw else value for value, raw in fields]
    return bytes([bits[0] << 4 | bits[1]]) + fields[0][1] + fields[1][1]


def decode_header(body: bytes) -> tuple[int, int, int]:
    """KID, CTR and the header's length."""
    offset = 1
    values = []
    for bits in (body[0] >> 4, body[0] & 0x0F):
        if bits < 8:
            values.append(bits)
            continue
        size = bits - 8 + 1
        if offset + size > len(body):
            raise Refused("malformed")
        values.append(int.from_bytes(body[offset : offset + size], "big"))
        offset += size
    kid, ctr = values
    if encode_header(kid, ctr) != body[:offset]:
        raise Refused("malformed")
    return kid, ctr, offset


def draw_kid(generation: int) -> int:
    while (random := secrets.token_bytes(7))[0] == 0:
        pass
    return int.from_bytes(bytes([generation]) + random, "big")


# Section 3: keys


def hkdf(material: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=SHA512(), length=length, salt=b"", info=info).derive(material)


def derive(secret: bytes, channel: str, kid: int, sender: int) -> tuple[bytes, bytes, bytes]:
    kid_bytes = kid.to_bytes(8, "big")
    info = b"mayfly e2e 1\0" + channel.encode("ascii") + b"\0" + kid_bytes + sender.to_bytes(4, "big")
    base_key = hkdf(secret, info, 64)
    suffix = kid_bytes + CIPHER_SUITE.to_bytes(2, "big")
    return (
        base_key,
        hkdf(base_key, b"SFrame 1.0 Secret key " + suffix, 32),
        hkdf(base_key, b"SFrame 1.0 Secret salt " + suffix, 12),
    )


def make_nonce(salt: bytes, ctr: int) -> bytes:
    return (int.from_bytes(salt, "big") ^ ctr).to_bytes(12, "big")


# Section 4: metadata


def make_metadata(channel: str, envelope: bytes | None) -> bytes:
    return channel.encode("ascii") + (b"\0\0" if envelope is None else b"\0\1" + envelope)


# Section 5: the plaintext


def padme(length: int) -> int:
    exponent = length.bit_length() - 1
    unit = 1 << max(0, exponent - max(1, exponent.bit_length()))
    return -(-length // unit) * unit


def pad(kind: int, data: bytes) -> bytes:
    plain = bytes([kind]) + data + MARKER
    return plain.ljust(padme(len(plain)), b"\0")


def unpad(padded: bytes) -> tuple[int, bytes]:
    plain = padded.rstrip(b"\0")
    if len(plain) < 2 or not plain.endswith(MARKER):
        raise Refused("bad_padding")
    if plain[0] not in (0, 1):
        raise Refused("malformed")
    return plain[0], plain[1:-1]


# Section 6: opening


class Receiver:
    """Remembers the counters that were opened, by KID and sender."""

    def __init__(self) -> None:
        self.seen: dict[tuple[str, int, int], set[int]] = {}

    def open(self, secret: bytes, generation: int, channel: str, sender: int, envelope: bytes | None, body: bytes):
        if not body or body[0] < 0xE0:
            raise Refused("not_encrypted")
        kid, ctr, length = decode_header(body)
        if ctr >= 2**32 or len(body) < length + 2 + TAG_BYTES:
            raise Refused("malformed")
        if kid >> 56 != generation:
            raise Refused("unknown_generation")
        seen = self.seen.get((channel, kid, sender), set())
        if ctr in seen:
            raise Refused("replayed")
        if seen and max(seen) - ctr >= WINDOW:
            raise Refused("too_old")
        _, key, salt = derive(secret, channel, kid, sender)
        aad = body[:length] + make_metadata(channel, envelope)
        try:
            padded = AESGCM(key).decrypt(make_nonce(salt, ctr), body[length:], aad)
        except InvalidTag:
            raise Refused("not_authentic") from None
        self.seen.setdefault((channel, kid, sender), seen).add(ctr)
        return unpad(padded)


def seal(secret: bytes, kid: int, ctr: int, channel: str, sender: int, envelope: bytes | None, plain: bytes) -> bytes:
    _, key, salt = derive(secret, channel, kid, sender)
    header = encode_header(kid, ctr)
    return header + AESGCM(key).encrypt(make_nonce(salt, ctr), plain, header + make_metadata(channel, envelope))


# Section 7


def from_passphrase(passphrase: str, salt: bytes) -> bytes:
    text = unicodedata.normalize("NFC", passphrase).encode("utf-8")
    return PBKDF2HMAC(algorithm=SHA512(), length=32, salt=salt, iterations=220_000).derive(text)


# Section 8


def blind(key: bytes, name: str) -> str:
    def blind_segment(segment: str) -> str:
        if segment in ("*", ">"):
            return segment
        return base64.urlsafe_b64encode(hmac.digest(key, segment.encode("ascii"), hashlib.sha256)).decode()[:22]

    return ".".join(map(blind_segment, name.split(".")))


# The conversation

receiver = Receiver()


def answer(request: dict[str, Any]) -> dict[str, Any]:
    def raw(name: str) -> bytes:
        return bytes.fromhex(request[name])

    def place() -> tuple[str, int, bytes | None]:
        envelope = request["envelope"]
        return request["channel"], request["sender"], None if envelope is None else bytes.fromhex(envelope)

    match request["op"]:
        case "seal":
            kid = int(request["kid"], 16) if "kid" in request else draw_kid(request["generation"])
            plain = pad(request["kind"], raw("data"))
            bodies = [seal(raw("secret"), kid, ctr, *place(), plain) for ctr in range(request["count"])]
            return {"bodies": [body.hex() for body in bodies]}
        case "open":
            try:
                kind, data = receiver.open(raw("secret"), request["generation"], *place(), raw("body"))
            except Refused as refused:
                return {"refused": str(refused)}
            return {"kind": kind, "data": data.hex()}
        case "passphrase":
            return {"secret": from_passphrase(request["passphrase"], raw("salt")).hex()}
        case "blind":
            return {"name": blind(raw("key"), request["name"])}
        case "derive":
            keys = derive(raw("secret"), request["channel"], int(request["kid"], 16), request["sender"])
            return dict(zip(("base_key", "sframe_key", "sframe_salt"), (key.hex() for key in keys)))
    raise ValueError(request["op"])


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
