import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { connect } from '../../../src/client/index.ts';
import type { SocketFactory, SocketLike } from '../../../src/client/socket.ts';

/** How long an error waits for the close that says more. */
const CLOSE_GRACE_MS = 100;

/** A socket that does what a test says, as any implementation might. */
class FakeSocket implements SocketLike {
  binaryType = '';
  readyState = 0;
  bufferedAmount = 0;
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: never) => void) | null = null;
  onerror: ((event: never) => void) | null = null;
  onclose: ((event: never) => void) | null = null;
  readonly sent: Uint8Array[] = [];
  send(data: Uint8Array): void {
    this.sent.push(data);
  }
  close(): void {
    this.readyState = 3;
  }
  open(): void {
    this.readyState = 1;
    this.onopen?.({} as never);
  }
  fail(error?: unknown): void {
    this.readyState = 3;
    this.onerror?.({ error } as never);
  }
  end(code: number, reason = ''): void {
    this.readyState = 3;
    this.onclose?.({ code, reason } as never);
  }
}

/** How connecting ends when the socket does this in a moment, and how long that took by the test's own clock. */
async function endOf(act: (socket: FakeSocket) => void, socket = new FakeSocket()) {
  const startMs = Date.now();
  const open: SocketFactory = () => {
    setTimeout(() => act(socket));
    return socket;
  };
  const ended = connect('wss://relay.example', { token: 'token', socket: open }).then(
    () => expect.unreachable(),
    (error: unknown) => ({ error: error as Error, tookMs: Date.now() - startMs }),
  );
  await vi.advanceTimersByTimeAsync(60_000);
  return ended;
}

describe('a connection that cannot be opened', () => {
  const listeners = new Map<string, (event: unknown) => void>();
  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal('addEventListener', (name: string, listener: () => void) => listeners.set(name, listener));
    vi.stubGlobal('removeEventListener', (name: string) => listeners.delete(name));
  });
  afterEach(() => {
    expect(vi.getTimerCount()).toBe(0);
    expect(listeners.size).toBe(0);
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it('is told at once when there is an error and never a close', async () => {
    const { error, tookMs } = await endOf((socket) => socket.fail());
    expect(error).toMatchObject({ code: 'connection_failed', closeCode: 1006 });
    expect(tookMs).toBe(CLOSE_GRACE_MS);
  });

  it('is told with the cause that the platform gives, and the close code that comes behind it', async () => {
    const cause = new Error('self-signed certificate');
    const { error } = await endOf((socket) => {
      socket.fail(cause);
      setTimeout(() => socket.end(1006), 50);
    });
    expect(error).toMatchObject({
      code: 'connection_failed',
      message: 'self-signed certificate',
      cause,
      closeCode: 1006,
    });
  });

  it('is told at once when there is a close without anything before it, and an error behind it harms nobody', async () => {
    const { error, tookMs } = await endOf((socket) => {
      socket.end(1015);
      socket.fail(new Error('late'));
    });
    expect(error).toMatchObject({ code: 'connection_failed', closeCode: 1015 });
    expect(tookMs).toBe(0);
  });

  it('is told with what the constructor threw', async () => {
    const cause = new DOMException('insecure WebSocket from a secure page', 'SecurityError');
    const socket = (): never => {
      throw cause;
    };
    await expect(connect('wss://relay.example', { token: 'token', socket })).rejects.toMatchObject({
      code: 'connection_failed',
      message: 'insecure WebSocket from a secure page',
      cause,
    });
  });

  it('is told when its time is over, with what was missing', async () => {
    const never = await endOf(() => {});
    expect(never.error).toMatchObject({ code: 'connection_failed', message: 'no connection within 10000 ms' });
    const mute = await endOf((socket) => socket.open());
    expect(mute.error).toMatchObject({ code: 'connection_failed', message: 'no WELCOME within 10000 ms' });
    expect([never.tookMs, mute.tookMs]).toEqual([10_000, 10_000]);
  });

  it('is told with the policy of the page that forbids it, and not with that of another address', async () => {
    const violate = (blockedURI: string, effectiveDirective = 'connect-src'): void =>
      listeners.get('securitypolicyviolation')?.({ blockedURI, effectiveDirective });
    const other = await endOf((socket) => {
      violate('https://tracker.example/');
      violate('wss://relay.example/', 'img-src');
      socket.fail();
    });
    expect(other.error.message).not.toContain('Policy');
    const { error, tookMs } = await endOf((socket) => {
      violate('wss://relay.example/');
      socket.fail();
    });
    expect(error).toMatchObject({
      code: 'connection_failed',
      message: expect.stringContaining('Content-Security-Policy'),
    });
    expect(tookMs).toBe(0);
  });

  it.each([
    [
      'sends',
      {
        send: () => {
          throw new Error('not now');
        },
      },
    ],
    [
      'sends and closes',
      {
        send: () => {
          throw new Error('not now');
        },
        close: () => {
          throw new Error('nor now');
        },
      },
    ],
  ])('is told, and throws nowhere else, when the socket throws as it %s', async (_, broken) => {
    const { error } = await endOf((socket) => socket.open(), Object.assign(new FakeSocket(), broken));
    expect(error).toMatchObject({ code: 'connection_failed', message: 'not now' });
  });

  it('sends no token on a socket that opens after it was given up', async () => {
    const late = new FakeSocket();
    await endOf((socket) => socket.end(1006), late);
    late.open();
    expect(late.sent).toEqual([]);
  });
});
