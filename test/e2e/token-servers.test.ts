import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Channel, ChannelKey, connect, type Message, type Relay } from '../../src/client/node.ts';
import { makeWorkplace, type Program, serve, type Workplace } from '../support/cli.ts';
import { runExample } from '../support/examples.ts';

const SERVERS = ['express', 'hono'];

describe('the token servers', () => {
  let workplace: Workplace;
  let relay: { program: Program; url: string };
  const servers = new Map<string, { program: Program; url: string }>();
  const open: Relay[] = [];

  beforeAll(async () => {
    workplace = await makeWorkplace(() => ({ limits: { drainDelayMs: 0, drainTimeoutMs: 0 } }));
    relay = await serve(workplace);
    for (const name of SERVERS) {
      const env = { SIGNING_KEY_FILE: join(workplace.folder, 'app.jwk'), PORT: '0' };
      const program = runExample(`token-server/${name}.ts`, env);
      const [, url = ''] = await program.output(/^POST (http:.*)$/m);
      servers.set(name, { program, url });
    }
  });
  afterAll(async () => {
    for (const client of open) client.close();
    for (const { program } of servers.values()) await program.stop();
    await relay.program.stop();
    await workplace.remove();
  });

  const post = (server: string, cookie?: string): Promise<Response> =>
    fetch(servers.get(server)?.url ?? '', { method: 'POST', headers: cookie === undefined ? {} : { cookie } });

  async function member(server: string, user: string): Promise<Relay> {
    const token = async (): Promise<string> => (await post(server, `theme=dark; session=demo-of-${user}`)).text();
    const client = await connect(relay.url, { token });
    open.push(client);
    return client;
  }

  it.each(SERVERS)('in %s give a session a token that is text, not stored, and good for 15 minutes', async (server) => {
    const response = await post(server, 'session=demo-of-alice');
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain/);
    expect(response.headers.get('cache-control')).toBe('no-store');
    const [, payload = ''] = (await response.text()).split('.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
    expect(claims).toEqual({
      iss: 'acme',
      sub: 'alice',
      iat: expect.any(Number),
      exp: Number(claims.iat) + 900,
      can: { 'room.>': 'rw', 'inbox.{sub}': 'r' },
    });
  });

  it.each(SERVERS)('in %s answer 401 without a session, and with one that there is not', async (server) => {
    for (const cookie of [undefined, '', 'session=', 'session=alice', 'xsession=demo-of-alice']) {
      const response = await post(server, cookie);
      expect(response.status, cookie).toBe(401);
      expect(response.headers.get('cache-control')).toBe('no-store');
      expect(await response.text()).toBe('no session');
    }
  });

  it.each(SERVERS)('in %s sign what lets two users talk in a room', async (server) => {
    const key = ChannelKey.random();
    const rooms: Channel[] = [];
    for (const user of ['alice', 'bob']) rooms.push(await (await member(server, user)).channel('room.42', { key }));
    const [alice, bob] = rooms;
    const heard = new Promise<Message>((resolve) => bob?.on('message', resolve));
    await alice?.publish('hello');
    expect((await heard).text).toBe('hello');
    for (const room of rooms) await room.detach();
  });

  it.each(SERVERS)('in %s sign for rooms and the own inbox only', async (server) => {
    const [alice, key] = [await member(server, 'alice'), ChannelKey.random()];
    await (await alice.channel('inbox.alice', { key, modes: 'r' })).detach();
    for (const [name, modes] of [
      ['inbox.alice', 'rw'],
      ['inbox.bob', 'r'],
      ['other.1', 'r'],
      ['room', 'r'],
    ] as const) {
      await expect(alice.channel(name, { key, modes }), name).rejects.toMatchObject({ status: 403, code: 'forbidden' });
    }
  });
});
