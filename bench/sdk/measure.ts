import type { Channel, Relay } from '../../src/client/index.ts';
import { ChannelCipher, ChannelKey, type ConnectOptions, KeyRing } from '../../src/client/index.ts';

/** What to measure against. Everything is text or numbers, so that it can be handed to a browser. */
export interface Task {
  readonly url: string;
  readonly token: string;
  readonly messageCount: number;
  readonly messageBytes: number;
  /** The channel key's bytes. */
  readonly key: readonly number[];
}

/** Messages per second. */
export interface Rates {
  /** Encrypting alone, many at once. */
  readonly seal: number;
  /** Decrypting alone, many at once. */
  readonly open: number;
  /** Encrypting and publishing, until the relay has accepted the last. */
  readonly publish: number;
}

/** How the runtime connects: the SDK's own `connect`, of Node or of browsers. */
export type Connect = (url: string, options: ConnectOptions) => Promise<Relay>;

const CHANNEL = 'bench';
/** Messages handed to WebCrypto at a time. */
const AT_ONCE = 100;
const WARM_UP_COUNT = 2000;

/** Measures what a sender does. */
export async function measureSending(connect: Connect, task: Task): Promise<Rates> {
  const ring = new KeyRing(ChannelKey.fromBytes(Uint8Array.from(task.key)));
  const data = new Uint8Array(task.messageBytes).fill(0x61);
  const sealer = new ChannelCipher({ channel: CHANNEL, ring });
  sealer.begin(1);
  const bodies: Uint8Array[] = [];
  const seal = async (i: number): Promise<void> => {
    bodies[i] = await sealer.seal('message', data);
  };
  await inBatches(WARM_UP_COUNT, seal);
  const sealSeconds = await inBatches(task.messageCount, seal);
  const opener = new ChannelCipher({ channel: CHANNEL, ring });
  const openSeconds = await inBatches(task.messageCount, async (i) => {
    const opened = await opener.open({ sender: 1, envelope: null, body: bodies[i] ?? new Uint8Array() });
    if (opened.kind !== 'message') throw new Error(`a message was ${opened.kind}`);
  });

  const relay = await connect(task.url, { token: task.token });
  const channel = await relay.channel(CHANNEL, { key: ring, modes: 'w' });
  const publish = (): Promise<void> => channel.publish(data);
  await inBatches(WARM_UP_COUNT, publish);
  await relay.flush();
  const startMs = performance.now();
  await inBatches(task.messageCount, publish);
  await relay.flush();
  const publishSeconds = (performance.now() - startMs) / 1000;
  await relay.close();
  return {
    seal: task.messageCount / sealSeconds,
    open: task.messageCount / openSeconds,
    publish: task.messageCount / publishSeconds,
  };
}

/**
 * Measures a receiver: messages decrypted per second, from the first to the last of a burst that the relay holds for it. `onReady` is
 * called once it listens. Throws when one is missing, out of order, or does not decrypt.
 */
export async function measureReceiving(connect: Connect, task: Task, onReady: () => void): Promise<number> {
  const relay = await connect(task.url, { token: task.token });
  const key = ChannelKey.fromBytes(Uint8Array.from(task.key));
  const channel = await relay.channel(CHANNEL, { key, modes: 'r', maxWaiting: task.messageCount });
  const seconds = received(channel, task.messageCount);
  onReady();
  const rate = task.messageCount / (await seconds);
  await relay.close();
  return rate;
}

function received(channel: Channel, messageCount: number): Promise<number> {
  return new Promise((resolve, reject) => {
    let count = 0;
    let startMs = 0;
    channel.on('refused', ({ reason }) => reject(new Error(`a message was ${reason}`)));
    channel.on('loss', () => reject(new Error('a message was lost')));
    channel.on('message', ({ seq }) => {
      if (count === 0) startMs = performance.now();
      if (seq !== ++count) reject(new Error(`number ${seq} came in place of ${count}`));
      if (count === messageCount) resolve((performance.now() - startMs) / 1000);
    });
  });
}

/** Sends a burst of sealed messages to the receiver: sealed beforehand, so that sending them costs little. */
export async function sendBurst(connect: Connect, task: Task): Promise<void> {
  const relay = await connect(task.url, { token: task.token });
  const ring = new KeyRing(ChannelKey.fromBytes(Uint8Array.from(task.key)));
  const cipher = new ChannelCipher({ channel: CHANNEL, ring });
  cipher.begin(relay.sender);
  const data = new Uint8Array(task.messageBytes).fill(0x61);
  const bodies: Uint8Array[] = [];
  await inBatches(task.messageCount, async (i) => {
    bodies[i] = await cipher.seal('message', data);
  });
  const channel = await relay.channel(CHANNEL, { plaintext: true, modes: 'w' }); // the bodies are sealed already
  for (const body of bodies) channel.publish(body);
  await relay.flush();
  await relay.close();
}

/** Does something `count` times, many at once; returns the seconds it took. */
async function inBatches(count: number, act: (i: number) => Promise<void>): Promise<number> {
  const startMs = performance.now();
  for (let start = 0; start < count; start += AT_ONCE) {
    const batch: Promise<void>[] = [];
    for (let i = start; i < Math.min(count, start + AT_ONCE); i++) batch.push(act(i));
    await Promise.all(batch);
  }
  return (performance.now() - startMs) / 1000;
}
