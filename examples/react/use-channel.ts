// A React hook: a channel's messages and state, for as long as a component is mounted. See it at work: npx tsx examples/react/serve.ts
import type { Channel, ChannelKey, Message, Relay } from 'mayfly/client';
import { useCallback, useEffect, useState } from 'react';
import { borrow, giveBack, type RelaySource } from './connections.ts';

/** The latest messages that a component keeps. */
const MAX_MESSAGES = 200;

/** A channel as a component sees it. */
export interface ChannelView {
  readonly status: 'connecting' | 'attached' | 'reconnecting' | 'failed';
  readonly messages: readonly Message[];
  /** Messages lost so far; null when nobody can know how many. */
  readonly lossCount: number | null;
  /** Frames so far that did not decrypt. */
  readonly refusedCount: number;
  /** What went wrong last, if anything. */
  readonly error: unknown;
}

const BLANK: ChannelView = { status: 'connecting', messages: [], lossCount: 0, refusedCount: 0, error: undefined };

type Change = (changed: (view: ChannelView) => Partial<ChannelView>) => void;

/**
 * Attaches a channel, own messages included, and leaves it when the component unmounts or is given another. `relay` and `key` must be
 * the same objects at each render. Only one component can use a channel at a time: share it from a parent of both.
 */
export function useChannel(
  relay: RelaySource,
  name: string,
  key: ChannelKey,
): ChannelView & { readonly publish: (text: string) => Promise<void> } {
  const [view, setView] = useState(BLANK);
  const [channel, setChannel] = useState<Channel>();

  useEffect(() => {
    const change: Change = (changed) => setView((now) => ({ ...now, ...changed(now) }));
    const connection = borrow(relay);
    let isLeft = false;
    let leave = (): void => {};

    const attach = async (): Promise<void> => {
      const opened = await connection.relay;
      if (isLeft) return;
      const attached = await opened.channel(name, { key, echo: true });
      const stopListening = [...listenToRelay(opened, change), ...listenToChannel(attached, change)];
      leave = () => {
        for (const stop of stopListening) stop();
        attached.detach().catch(() => {}); // without a connection there is nothing to leave
      };
      if (isLeft) leave();
      else {
        setChannel(attached);
        change(() => ({ status: 'attached' }));
      }
    };
    connection.turn = connection.turn.then(attach).catch((error: unknown) => {
      if (!isLeft) change(() => ({ status: 'failed', error }));
    });
    return () => {
      isLeft = true;
      leave();
      giveBack(relay, connection);
      setChannel(undefined);
      setView(BLANK);
    };
  }, [relay, name, key]);

  const publish = useCallback(
    async (text: string) => {
      if (channel === undefined) throw new Error('the channel is not attached yet');
      await channel.publish(text);
    },
    [channel],
  );
  return { ...view, publish };
}

function listenToRelay(relay: Relay, change: Change): (() => void)[] {
  return [
    relay.on('reconnecting', () => change(() => ({ status: 'reconnecting' }))),
    relay.on('reconnected', () => change(() => ({ status: 'attached' }))),
    relay.on('closed', ({ error }) => change(() => ({ status: 'failed', error }))),
  ];
}

function listenToChannel(channel: Channel, change: Change): (() => void)[] {
  return [
    channel.on('message', (message) =>
      change(({ messages }) => ({ messages: [...messages, message].slice(-MAX_MESSAGES) })),
    ),
    channel.on('loss', ({ count }) =>
      change(({ lossCount }) => ({ lossCount: count === null || lossCount === null ? null : lossCount + count })),
    ),
    channel.on('refused', () => change(({ refusedCount }) => ({ refusedCount: refusedCount + 1 }))),
    channel.on('error', (error) => change(() => ({ error }))),
  ];
}
