"""Talks with a relay over TLS and checks every answer against docs/PROTOCOL.md.

Reads one JSON object, in one line, on standard input:

    {"url": "wss://127.0.0.1:PORT/v1/ws", "ca": "cert.pem",
     "tokens": {"alice", "bob", "aliceFresh", "readOnly", "expired", "short"}}

alice, bob: `rwp` on `room.>`. aliceFresh: another of alice's. readOnly: `r` on `room.>`. short: alice's, which expires
a few seconds after the start. Prints one JSON line for each step; the exit code is 0 if all of them held.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import secrets
import ssl
import sys
import time
from typing import Any, Awaitable, Callable, TypeVar

import msgpack
import websockets

from client import ECHO, PRESENCE, PUBLISH, SUBSCRIBE, Channel, Client, Closed, Message, Notice, Refused, message_frame

PATIENCE = 10
T = TypeVar("T")
Facts = dict[str, Any]
Step = Callable[["Conversation"], Awaitable[Facts]]


def check(holds: bool, what: str) -> None:
    """Fail the step, unless `holds`."""
    if not holds:
        raise AssertionError(what)


def equal(actual: Any, expected: Any, what: str) -> None:
    """Fail the step, unless both are the same."""
    check(actual == expected, f"{what}: expected {expected!r}, got {actual!r}")


async def soon(waiting: Awaitable[T]) -> T:
    """No wait is longer than this."""
    return await asyncio.wait_for(waiting, PATIENCE)


async def refusal(waiting: Awaitable[Any], status: int, code: str) -> Refused:
    """The request must be refused, with this status and code."""
    try:
        await soon(waiting)
    except Refused as refused:
        equal((refused.status, refused.code), (status, code), "refusal")
        return refused
    raise AssertionError(f"not refused: expected {status} {code}")


async def next_event(client: Client) -> Any:
    """The next event, but for changes of occupancy, which come when they like."""
    while True:
        event = await soon(client.events.get())
        if not (isinstance(event, Notice) and event.kind == "OCCUPANCY"):
            return event


async def next_message(client: Client) -> Message:
    """The next event, which must be a message."""
    event = await next_event(client)
    check(isinstance(event, Message), f"expected a message, got {event!r}")
    return event


async def next_notice(client: Client, kind: str) -> Notice:
    """The next event, which must be a notice of this kind."""
    event = await next_event(client)
    check(isinstance(event, Notice) and event.kind == kind, f"expected {kind}, got {event!r}")
    return event


async def until_occupancy(client: Client, channel: Channel, count: int) -> None:
    """Wait for OCCUPANCY to say this count. It may skip counts in between, and must come to this one."""
    while True:
        event = await soon(client.events.get())
        check(isinstance(event, Notice) and event.kind == "OCCUPANCY", f"expected OCCUPANCY, got {event!r}")
        check(event.channel is channel, "another channel's OCCUPANCY")
        if event.value == count:
            return


async def closing(client: Client) -> tuple[Refused | None, Closed]:
    """The end of a connection, and the ERROR ahead of it."""
    refused = None
    while not isinstance(event := await next_event(client), Closed):
        refused = event if isinstance(event, Refused) else refused
    return refused, event


async def silent(client: Client) -> None:
    """All that the client sent is handled, and nothing came of it."""
    await soon(client.flush())
    while not client.events.empty():
        event = client.events.get_nowait()
        check(isinstance(event, Notice) and event.kind == "OCCUPANCY", f"expected nothing, got {event!r}")


class Conversation:
    """What the steps share: the relay, the tokens, and names that no other run uses."""

    def __init__(self, url: str, ca: str, tokens: dict[str, str]):
        self.url, self.tokens = url, tokens
        self.tls = ssl.create_default_context(cafile=ca)
        self.run = secrets.token_hex(4)
        self.open: list[Client] = []

    async def connect(self, who: str) -> Client:
        """A connection with one of the tokens."""
        client = await soon(Client.connect(self.url, self.tokens[who], self.tls))
        self.open.append(client)
        return client

    def channel(self, name: str) -> str:
        """The name of a channel of this run."""
        return f"room.{self.run}.{name}"

    async def pair(self, name: str) -> tuple[Client, Channel, Client, Channel]:
        """Alice and Bob, both attached to a channel to subscribe and publish."""
        alice, bob = await self.connect("alice"), await self.connect("bob")
        at_alice = await soon(alice.attach(self.channel(name), SUBSCRIBE | PUBLISH))
        at_bob = await soon(bob.attach(self.channel(name), SUBSCRIBE | PUBLISH))
        equal(at_bob.id, at_alice.id, "channelId")
        return alice, at_alice, bob, at_bob

    async def close(self) -> None:
        """Close all connections."""
        await asyncio.gather(*(client.close() for client in self.open))


async def hello(talk: Conversation) -> Facts:
    """WELCOME tells the sender, the boot, the expiry and the limits."""
    alice, bob = await talk.connect("alice"), await talk.connect("bob")
    check(1 <= alice.sender < 2**31 and alice.sender != bob.sender, "a sender of one's own")
    equal(alice.info["boot"], bob.info["boot"], "boot")
    check(alice.info["expiry"] > time.time(), "expiry lies ahead")
    names = {"maxFrameBytes", "maxMessageBytes", "maxAttachments", "framesPerSecond", "bytesPerSecond"}
    names |= {"maxBufferedBytes", "slowConsumerTimeoutMs", "pingIntervalMs"}
    check(names <= alice.info["limits"].keys(), "the limits of section 3")
    return {"limits": alice.info["limits"]}


async def no_token(talk: Conversation) -> Facts:
    """HELLO without a token is refused."""
    refused = await refusal(Client.connect(talk.url, "", talk.tls), 401, "token_missing")
    equal(refused.close_code, 4502, "close code")
    return {"status": refused.status, "closeCode": refused.close_code}


async def expired_token(talk: Conversation) -> Facts:
    """HELLO with an expired token is refused."""
    refused = await refusal(Client.connect(talk.url, talk.tokens["expired"], talk.tls), 403, "token_expired")
    equal(refused.close_code, 4001, "close code")
    return {"status": refused.status, "closeCode": refused.close_code}


async def bad_first_frame(talk: Conversation) -> Facts:
    """Any frame but HELLO is refused before WELCOME."""
    options = {"ssl": talk.tls, "subprotocols": ["mayfly.v1"], "compression": None}
    socket = await soon(websockets.connect(talk.url, **options))
    await soon(socket.send(msgpack.packb([6, 1])))
    answer = msgpack.unpackb(await soon(socket.recv()))
    equal(answer[:4], [21, None, 400, "protocol_error"], "ERROR")
    await soon(socket.wait_closed())
    equal(socket.close_code, 4500, "close code")
    return {"closeCode": socket.close_code}


async def attach(talk: Conversation) -> Facts:
    """ATTACHED tells the channel's number and occupancy; a second ATTACH is refused."""
    alice, channel, bob, _ = await talk.pair("attach")
    check(1 <= channel.id < 2**31, "channelId")
    equal((channel.modes, channel.base, channel.occupancy), (SUBSCRIBE | PUBLISH, 0, 1), "ATTACHED to the first")
    equal(bob.channels[channel.id].occupancy, 2, "occupancy to the second")
    again = await refusal(alice.attach(channel.name, SUBSCRIBE), 409, "already_attached")
    equal(again.channel_id, channel.id, "channelId of the refusal")
    await refusal(alice.attach(talk.channel("modes"), ECHO), 400, "bad_modes")
    await refusal(alice.attach("room..a", SUBSCRIBE), 400, "bad_channel")
    await refusal(alice.attach("$room", SUBSCRIBE), 400, "bad_channel")
    return {"channelId": channel.id}


async def attach_forbidden(talk: Conversation) -> Facts:
    """No attaching outside the grant; the connection goes on."""
    alice = await talk.connect("alice")
    refused = await refusal(alice.attach("elsewhere.a", SUBSCRIBE), 403, "forbidden")
    await refusal(alice.attach(">", SUBSCRIBE), 403, "forbidden")
    await soon(alice.flush())
    return {"status": refused.status}


async def publish(talk: Conversation) -> Facts:
    """Frames arrive with their number and sender, with an envelope and without, of all lengths of bin."""
    alice, at_alice, bob, at_bob = await talk.pair("publish")
    sent = [(None, b"hello"), (b"envelope", b"\x00\xff"), (None, b""), (b"", b"")]
    sent += [(None, b"a" * size) for size in (255, 256, 60_000)] + [(b"e" * 300, b"a")]
    for envelope, body in sent:
        await alice.publish(at_alice, body, envelope)
    for seq, (envelope, body) in enumerate(sent, 1):
        message = await next_message(bob)
        equal((message.seq, message.sender), (seq, alice.sender), "seq and sender")
        equal((message.envelope, message.body), (envelope, body), "envelope and body")
    await bob.publish(at_bob, b"and back")
    message = await next_message(alice)
    equal((message.seq, message.sender, message.body), (len(sent) + 1, bob.sender, b"and back"), "the answer")
    carol = await talk.connect("bob")
    equal((await soon(carol.attach(at_alice.name, SUBSCRIBE))).base, len(sent) + 1, "seq of a later ATTACHED")
    return {"frames": len(sent) + 1}


async def batch(talk: Conversation) -> Facts:
    """Many frames in one WebSocket message take effect in order."""
    alice, at_alice, bob, _ = await talk.pair("batch")
    count = 50
    await alice.send(*(message_frame(at_alice.id, b"%d" % number) for number in range(1, count + 1)))
    for number in range(1, count + 1):
        message = await next_message(bob)
        equal((message.seq, message.body), (number, b"%d" % number), "order")
    equal(bob.channels[at_alice.id].others, count, "frames counted")
    return {"frames": count}


async def own_frames(talk: Conversation) -> Facts:
    """Without echo a client gives none of its own frames to the app; with echo it has them before its PONG."""
    alice, at_alice, bob, at_bob = await talk.pair("own")
    await alice.publish(at_alice, b"mine")
    await silent(alice)
    equal((await next_message(bob)).body, b"mine", "to the other")
    await soon(bob.detach(at_bob))
    at_bob = await soon(bob.attach(at_bob.name, SUBSCRIBE | PUBLISH | ECHO))
    await bob.publish(at_bob, b"echoed")
    await soon(bob.flush())
    check(not bob.events.empty(), "the echo comes ahead of the PONG")
    message = await next_message(bob)
    equal((message.sender, message.seq, message.body), (bob.sender, 2, b"echoed"), "echo")
    return {"echoSeq": message.seq}


async def read_only(talk: Conversation) -> Facts:
    """Neither a token without `w` nor an attachment without publish may publish."""
    name = talk.channel("readonly")
    carol, alice = await talk.connect("readOnly"), await talk.connect("alice")
    for modes in (PUBLISH, SUBSCRIBE | PUBLISH, SUBSCRIBE | PRESENCE):
        await refusal(carol.attach(name, modes), 403, "forbidden")
    at_carol, at_alice = await soon(carol.attach(name, SUBSCRIBE)), await soon(alice.attach(name, SUBSCRIBE))
    for client, channel in ((carol, at_carol), (alice, at_alice)):
        await client.publish(channel, b"no")
        refused = await next_event(client)
        check(isinstance(refused, Refused), f"expected a refusal, got {refused!r}")
        equal((refused.status, refused.code, refused.channel_id), (403, "forbidden", channel.id), "refusal")
        await silent(client)
    return {"status": refused.status}


async def ping(talk: Conversation) -> Facts:
    """When PONG is here, what was sent before has been accepted or refused."""
    alice, at_alice, bob, at_bob = await talk.pair("ping")
    for number in range(20):
        await alice.publish(at_alice, b"%d" % number)
    await alice.send(message_frame(at_alice.id ^ 1, b"nowhere"))
    await soon(alice.flush())
    refused = alice.events.get_nowait()
    check(isinstance(refused, Refused), f"expected a refusal, got {refused!r}")
    equal((refused.status, refused.code, refused.channel_id), (404, "not_attached", at_alice.id ^ 1), "refusal")
    carol = await talk.connect("bob")
    equal((await soon(carol.attach(at_alice.name, SUBSCRIBE))).base, 20, "frames accepted before the PONG")
    return {"accepted": 20}


async def pattern(talk: Conversation) -> Facts:
    """A pattern brings the channels that are and those that come, each named ahead of its first frame, one copy."""
    alice, bob = await talk.connect("alice"), await talk.connect("bob")
    before = await soon(alice.attach(talk.channel("pattern.before"), PUBLISH))
    await alice.publish(before, b"1")
    await soon(alice.flush())
    await refusal(bob.attach(talk.channel("pattern.*"), SUBSCRIBE | PUBLISH), 400, "bad_modes")
    await soon(bob.attach(talk.channel("pattern.>"), SUBSCRIBE))
    await soon(bob.attach(talk.channel("pattern.*"), SUBSCRIBE))
    named = (await next_notice(bob, "NAMED")).channel
    equal((named.id, named.name, named.base), (before.id, before.name, 1), "NAMED")
    after = await soon(alice.attach(talk.channel("pattern.after"), PUBLISH))
    await alice.publish(after, b"2")
    named = (await next_notice(bob, "NAMED")).channel
    equal((named.id, named.name, named.base), (after.id, after.name, 0), "NAMED")
    message = await next_message(bob)
    equal((message.channel.name, message.seq, message.body), (after.name, 1, b"2"), "first frame")
    await alice.publish(before, b"3")
    message = await next_message(bob)
    equal((message.channel.name, message.seq, message.body), (before.name, 2, b"3"), "next frame")
    await silent(bob)
    for text in ("pattern.>", "pattern.*"):
        await soon(bob.detach(talk.channel(text)))
    await alice.publish(before, b"4")
    await soon(alice.flush())
    await silent(bob)
    return {"named": 2}


async def presence(talk: Conversation) -> Facts:
    """OCCUPANCY counts who is attached, LEFT tells who went, after the last frame."""
    name = talk.channel("presence")
    alice, bob, carol = await talk.connect("alice"), await talk.connect("bob"), await talk.connect("readOnly")
    at_alice = await soon(alice.attach(name, SUBSCRIBE | PRESENCE))
    at_bob = await soon(bob.attach(name, PUBLISH))
    await until_occupancy(alice, at_alice, 2)
    await soon(carol.attach(name, SUBSCRIBE))
    await until_occupancy(alice, at_alice, 3)
    await bob.publish(at_bob, b"last words")
    await soon(bob.detach(at_bob))
    equal((await next_message(alice)).body, b"last words", "the last frame")
    equal((await next_notice(alice, "LEFT")).value, bob.sender, "LEFT by DETACH")
    await until_occupancy(alice, at_alice, 2)
    await carol.close()
    equal((await next_notice(alice, "LEFT")).value, carol.sender, "LEFT by close")
    await until_occupancy(alice, at_alice, 1)
    return {"occupancy": at_alice.occupancy}


async def malformed(talk: Conversation) -> Facts:
    """A frame that cannot be read closes the connection; those ahead of it have taken effect."""
    alice, at_alice, bob, _ = await talk.pair("malformed")
    await alice.send(message_frame(at_alice.id, b"good"), b"\x93\x06\x01\x01")
    refused, closed = await closing(alice)
    equal((refused and refused.status, refused and refused.code), (400, "protocol_error"), "ERROR")
    equal(closed.close_code, 4500, "close code")
    equal((await next_message(bob)).body, b"good", "the frame ahead")
    return {"closeCode": closed.close_code, "reason": closed.reason}


async def renewing(talk: Conversation) -> Facts:
    """EXPIRING comes; RENEW goes on without a gap, past the expiry of the first token."""
    alice, bob = await talk.connect("short"), await talk.connect("bob")
    name, expiry = talk.channel("renew"), alice.info["expiry"]
    at_alice = await soon(alice.attach(name, SUBSCRIBE))
    at_bob = await soon(bob.attach(name, PUBLISH))

    async def flow() -> None:
        for number in itertools.count():
            await bob.publish(at_bob, b"%d" % number)
            await asyncio.sleep(0.02)

    flowing, received, expiring = asyncio.create_task(flow()), 0, None
    try:
        while time.time() < expiry + 1:
            event = await next_event(alice)
            if isinstance(event, Message):
                equal(event.seq, received + 1, "no gap")
                received = event.seq
                continue
            check(expiring is None and isinstance(event, Notice) and event.kind == "EXPIRING", f"got {event!r}")
            expiring = event.value
            check(0 < expiring <= 30_000, "the time left")
            await refusal(alice.renew(talk.tokens["bob"]), 403, "renew_mismatch")
            renewed = await soon(alice.renew(talk.tokens["aliceFresh"]))
            check(renewed > expiry, "RENEWED tells the new expiry")
    finally:
        flowing.cancel()
    check(expiring is not None, "EXPIRING")
    return {"expiringMs": expiring, "frames": received}


async def expiry(talk: Conversation) -> Facts:
    """A connection whose token is not renewed is closed."""
    alice = await talk.connect("short")
    ends = alice.info["expiry"]
    await next_notice(alice, "EXPIRING")
    _, closed = await closing(alice)
    equal(closed.close_code, 4001, "close code")
    check(time.time() > ends - 0.1, "closed no earlier than the expiry")
    return {"closeCode": closed.close_code, "reason": closed.reason}


async def detach(talk: Conversation) -> Facts:
    """After DETACHED no frame comes, and none may be sent."""
    alice, at_alice, bob, at_bob = await talk.pair("detach")
    await soon(bob.detach(at_bob))
    await alice.publish(at_alice, b"unheard")
    await soon(alice.flush())
    await silent(bob)
    await refusal(bob.detach(at_bob), 404, "not_attached")
    await bob.publish(at_bob, b"no")
    refused = await next_event(bob)
    equal(isinstance(refused, Refused) and (refused.status, refused.code), (404, "not_attached"), "refusal")
    again = await soon(bob.attach(at_bob.name, SUBSCRIBE))
    equal(again.missed_since(at_bob), 1, "frames missed meanwhile")
    return {"missed": 1}


STEPS: list[Step] = [hello, no_token, expired_token, bad_first_frame, attach, attach_forbidden, publish, batch]
STEPS += [own_frames, read_only, ping, pattern, presence, malformed, renewing, expiry, detach]


async def main() -> int:
    """Run the steps; those with the short token begin at once, and all are told in order."""
    given = json.loads(sys.stdin.readline())
    talk = Conversation(given["url"], given["ca"], given["tokens"])
    early = {step: asyncio.create_task(step(talk)) for step in (renewing, expiry)}
    held = True
    for step in STEPS:
        try:
            line = {"ok": True, **await (early.get(step) or step(talk))}
        except Exception as error:  # whatever it was, the step did not hold
            held, line = False, {"ok": False, "error": f"{type(error).__name__}: {error}"}
        print(json.dumps({"step": step.__name__, **line}), flush=True)
    await talk.close()
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
