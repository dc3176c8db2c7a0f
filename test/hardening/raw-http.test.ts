import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { TestClient } from '../support/client.ts';
import { startTestRelay, stopRelays, type TestRelay } from '../support/relay.ts';
import { type Innocents, innocent } from './support.ts';

const BOUND_MS = 5000;

describe('a request whose headers another parser could read in another way', () => {
  let relay: TestRelay;
  let token: string;
  let reader: TestClient;
  let others: Innocents;
  beforeAll(async () => {
    relay = await startTestRelay();
    token = await relay.mint();
    reader = await relay.connect();
    await reader.attach('open.a', 1);
    others = await innocent(relay);
  });
  afterEach(() => others.feltNothing());
  afterAll(stopRelays);

  /** Sends bytes as they are; resolves with the statuses answered once the relay has hung up, or, of those that keep the connection, `count`. */
  function raw(text: string, count = Number.POSITIVE_INFINITY): Promise<{ statuses: number[]; answer: string }> {
    return new Promise((resolve, reject) => {
      const socket = connect(Number(new URL(relay.httpUrl).port), '127.0.0.1');
      let answer = '';
      const statuses = (): number[] =>
        [...answer.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map(([, status]) => Number(status));
      const timer = setTimeout(() => reject(new Error(`nothing more than ${answer}`)), BOUND_MS);
      const done = (): void => {
        clearTimeout(timer);
        socket.destroy();
        resolve({ statuses: statuses(), answer });
      };
      socket.setEncoding('latin1').on('data', (data) => {
        answer += data;
        if (statuses().length >= count) done();
      });
      socket.on('close', done).on('error', done);
      socket.write(text.replaceAll('\n', '\r\n'), 'latin1');
    });
  }

  const head = (...headers: readonly string[]): string =>
    ['POST /v1/channels/open.a/messages HTTP/1.1', 'Host: x', ...headers, '', ''].join('\n');
  const type = 'Content-Type: application/octet-stream';
  const bearer = (): string => `Authorization: Bearer ${token}`;

  async function delivered(): Promise<number> {
    await reader.flush();
    return reader.messages().length;
  }

  it('is refused for each header that came twice, and nothing of it is published', async () => {
    const before = await delivered();
    for (const twice of [
      [bearer(), bearer(), type, 'Content-Length: 1'],
      [bearer(), 'Authorization: Bearer other', type, 'Content-Length: 1'],
      [bearer(), type, type, 'Content-Length: 1'],
      [bearer(), type, 'Content-Length: 1', 'Content-Length: 5'],
      [bearer(), type, 'Content-Length: 5', 'Content-Length: 1'],
      [bearer(), type, 'Content-Length: 1', 'content-length: 1'],
      [bearer(), type, 'Content-Length: 1', 'Mayfly-Envelope: YQ', 'Mayfly-Envelope: Yg'],
      [bearer(), type, 'Content-Length: 1', 'Host: y'],
      [bearer(), type, 'Content-Length: 1', 'Origin: https://a.example', 'Origin: https://b.example'],
    ])
      expect((await raw(`${head(...twice)}xxxxx`)).statuses, twice.slice(1).join()).toEqual([400]);
    expect(await delivered()).toBe(before);
  });

  it('is refused for any transfer coding, and what follows is not another request', async () => {
    const before = await delivered();
    const smuggled = `${head(bearer(), type, 'Content-Length: 1')}x`;
    for (const [coding, body] of [
      ['chunked', '1\nx\n0\n\n'],
      ['gzip, chunked', '1\nx\n0\n\n'],
      ['chunked, identity', '1\nx\n0\n\n'],
      ['identity', 'x'],
      ['xchunked', '1\nx\n0\n\n'],
      ['chunked', `1\nxZZ0\n\n${smuggled}`],
      ['chunked', `0\n${smuggled}`],
      ['chunked', `0\nTrailer: a\n\n${smuggled}`],
    ]) {
      const answered = await raw(head(bearer(), type, `Transfer-Encoding: ${coding}`) + body);
      const both = await raw(head(bearer(), type, 'Content-Length: 1', `Transfer-Encoding: ${coding}`) + body);
      for (const { statuses } of [answered, both]) {
        expect(statuses.length, coding).toBeLessThanOrEqual(1); // none where something followed
        expect(
          statuses.every((status) => status >= 400),
          coding,
        ).toBe(true);
      }
    }
    expect((await raw(`${head(bearer(), type, 'Transfer-Encoding: chunked')}1\nx\n0\n\n`)).statuses).toEqual([411]);
    expect(await delivered()).toBe(before);
  });

  it.each(['+1', '-1', '0x1', '1e0', '1, 1', '1 1', '١', ''])('is refused for the length "%s"', async (length) => {
    const before = await delivered();
    const { statuses } = await raw(`${head(bearer(), type, `Content-Length: ${length}`)}x`);
    expect(statuses).toHaveLength(1);
    expect(statuses[0]).toBeGreaterThanOrEqual(400);
    expect(await delivered()).toBe(before);
  });

  const upgradeWith = (...headers: readonly string[]): string =>
    ['GET /v1/ws HTTP/1.1', 'Host: x', 'Connection: Upgrade', 'Upgrade: websocket', ...headers, '', ''].join('\n');
  const KEY = 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==';
  const PROTOCOL = 'Sec-WebSocket-Protocol: mayfly.v1';

  it.each(['99', '12', '8', '', '13, 8'])('is no upgrade to WebSocket version "%s"', async (version) => {
    const { statuses, answer } = await raw(upgradeWith(KEY, PROTOCOL, `Sec-WebSocket-Version: ${version}`));
    expect(statuses).toEqual([426]);
    expect(answer).toMatch(/^sec-websocket-version: 13\r$/im);
  });

  it('is no upgrade without a version, with two of them, or with a key that is none', async () => {
    const version = 'Sec-WebSocket-Version: 13';
    expect((await raw(upgradeWith(KEY, PROTOCOL))).statuses).toEqual([426]);
    expect((await raw(upgradeWith(KEY, PROTOCOL, version, version))).statuses).toEqual([400]);
    expect((await raw(upgradeWith(KEY, KEY, PROTOCOL, version))).statuses).toEqual([400]);
    for (const key of ['AAAAAAAAAAAAAAAAAAAAAB==', 'AAAAAAAAAAAAAAAAAAAAAAAA', '*AAAAAAAAAAAAAAAAAAAAA=='])
      expect((await raw(upgradeWith(`Sec-WebSocket-Key: ${key}`, PROTOCOL, version))).statuses).toEqual([400]);
    expect((await raw(upgradeWith('Sec-WebSocket-Key: short', PROTOCOL, version))).statuses).toEqual([426]);
    expect((await raw(upgradeWith(KEY, PROTOCOL, version), 1)).statuses).toEqual([101]);
  });

  it('with no good token is answered at once, whatever else is wrong, and its body is not waited for', async () => {
    const long = 'Content-Length: 60000';
    expect((await raw(head(type, long))).statuses).toEqual([401]);
    expect((await raw(head('Authorization: Bearer a.b.c', type, long))).statuses).toEqual([403]);
    expect((await raw(head('Content-Type: text/html', long))).statuses).toEqual([401]);
    const elsewhere = await relay.mint({ can: { 'elsewhere.>': 'rw' } });
    expect((await raw(head(`Authorization: Bearer ${elsewhere}`, 'Content-Type: a/b', long))).statuses).toEqual([403]);
    expect((await raw(head(bearer(), 'Content-Type: a/b', long))).statuses).toEqual([415]);
    expect((await raw(head(bearer(), type, 'Content-Length: 6000000'))).statuses).toEqual([413]);
  });

  it('that came with others in one write is published only if it was answered', async () => {
    for (let i = 0; i < 5; i++) {
      const before = await delivered();
      const fresh = `Authorization: Bearer ${await relay.mint({ jti: `fresh-${i}` })}`;
      const request = `${head(fresh, type, 'Content-Length: 1')}x`;
      const { statuses } = await raw(request.repeat(3), 3);
      expect((await delivered()) - before).toBe(statuses.filter((status) => status === 202).length);
    }
  });

  it('in pieces is one request', async () => {
    const request = `${head(bearer(), type, 'Content-Length: 4')}four`.replaceAll('\n', '\r\n');
    const before = await delivered();
    const answer = await new Promise<string>((resolve) => {
      const socket = connect(Number(new URL(relay.httpUrl).port), '127.0.0.1').setNoDelay(true);
      const bytes = [...request.slice(request.indexOf('\r\n\r\n') + 2)];
      socket.write(request.slice(0, -bytes.length));
      const next = (): void => {
        const byte = bytes.shift();
        if (byte !== undefined) socket.write(byte, () => setImmediate(next));
      };
      setImmediate(next);
      socket.once('data', (data) => {
        socket.destroy();
        resolve(data.toString());
      });
    });
    expect(answer).toMatch(/^HTTP\/1\.1 202 /);
    expect((await delivered()) - before).toBe(1);
  });
});
