// Two members see and greet each other, encrypted, on a channel whose name the relay cannot read: npx tsx examples/hello.ts
import { blindName, ChannelKey, connect, type Relay } from 'mayfly/client';
import { options, relayUrl } from './environment.ts';

// The members share these two, and the relay never has them. Real members have got them over something encrypted end to end.
const key = ChannelKey.random();
const blindKey = crypto.getRandomValues(new Uint8Array(32));

/** Joins the room and greets whoever is there or comes. `heard` resolves with the first greeting. */
async function join(me: string): Promise<{ relay: Relay; heard: Promise<void> }> {
  const relay = await connect(relayUrl, options);
  const room = await relay.channel(await blindName(blindKey, 'room.42'), { key, presence: true });
  room.presence.on('join', ({ text: peer }) => {
    console.log(`${me} sees ${peer}`);
    room.publish(`hello ${peer}, this is ${me}`);
  });
  const heard = new Promise<void>((resolve) => {
    room.on('message', ({ text }) => {
      console.log(`${me} hears "${text}"`);
      resolve();
    });
  });
  await room.presence.enter(me);
  return { relay, heard };
}

const members = [await join('alice'), await join('bob')];
for (const { heard } of members) await heard;
for (const { relay } of members) relay.close();
