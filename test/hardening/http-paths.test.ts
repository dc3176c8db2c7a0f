import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startTestRelay, stopRelays, type TestRelay } from '../support/relay.ts';
import { type Innocents, innocent, jsonOf, post, refusal, upgrade } from './support.ts';

describe('an HTTP request', () => {
  let relay: TestRelay;
  let token: string;
  let others: Innocents;
  beforeAll(async () => {
    relay = await startTestRelay();
    token = await relay.mint();
    others = await innocent(relay);
  });
  afterEach(() => others.feltNothing());
  afterAll(stopRelays);

  it.each([
    '/v1',
    '/v1/',
    '/v2/ws',
    '/v1/channels',
    '/v1/channels/a',
    '/v1/channels/a/b/messages',
    '/metrics',
    '/readyz',
    '/.env',
  ])('to a path that is not there is told so: %s', async (path) => {
    for (const method of ['GET', 'POST', 'DELETE']) {
      const answer = await post(`${relay.httpUrl}${path}`, { method, token });
      expect(answer.status).toBe(404);
      expect(jsonOf(answer)).toEqual(refusal(404, 'not_found'));
      expect(answer.text).not.toContain(path);
    }
  });

  it.each<readonly [string, string, readonly string[]]>([
    ['/v1/channels/open.a/messages', 'POST', ['GET', 'PUT', 'DELETE', 'PATCH']],
    ['/v1/revocations', 'POST', ['GET', 'PUT', 'DELETE']],
    ['/v1/ws', 'GET', ['POST', 'PUT', 'DELETE']],
    ['/', 'GET', ['POST', 'PUT', 'DELETE']],
  ])('of another method than the path takes is told which: %s', async (path, allowed, methods) => {
    for (const method of methods) {
      const answer = await post(`${relay.httpUrl}${path}`, { method, token });
      expect(answer.status).toBe(405);
      expect(jsonOf(answer)).toEqual(refusal(405, 'method_not_allowed'));
      expect(answer.headers.allow?.split(/, */)).toContain(allowed);
    }
  });

  it.each(['/', '/v1/ws', '/v1/revocations', '/none'])(
    'by HEAD is answered as GET is, without the body: %s',
    async (path) => {
      const get = await post(`${relay.httpUrl}${path}`, { method: 'GET' });
      const head = await post(`${relay.httpUrl}${path}`, { method: 'HEAD' });
      expect(head.status).toBe(get.status);
      expect(head.headers).toMatchObject({ 'content-type': get.headers['content-type'] });
      expect(head.headers['content-length']).toBe(String(Buffer.byteLength(get.text)));
      expect(head.text).toBe('');
    },
  );

  it('to the WebSocket’s path that asks for no upgrade is told to', async () => {
    const answer = await post(`${relay.httpUrl}/v1/ws`, { method: 'GET' });
    expect(answer.status).toBe(426);
    expect(jsonOf(answer)).toEqual(refusal(426, 'upgrade_required'));
    expect(answer.headers.upgrade).toBe('websocket'); // RFC 9110, section 15.5.22
  });

  it.each<readonly [string, string, Readonly<Record<string, string | undefined>>, string]>([
    ['a query string', '?x=1', {}, 'token_in_url'],
    ['no subprotocol', '', { 'sec-websocket-protocol': undefined }, 'subprotocol_required'],
    ['another subprotocol', '', { 'sec-websocket-protocol': 'mqtt, mayfly.v2' }, 'subprotocol_required'],
    ['a subprotocol that contains ours', '', { 'sec-websocket-protocol': 'mayfly.v10' }, 'subprotocol_required'],
  ])('for an upgrade is refused at both paths for %s', async (_name, query, headers, code) => {
    for (const path of ['/v1/ws', '/']) {
      const answer = await upgrade(`${relay.httpUrl}${path}${query}`, headers);
      expect(answer.status).toBe(400);
      expect(jsonOf(answer)).toEqual(refusal(400, code));
    }
  });
});
