import { expect } from 'vitest';
import { type KeyedRelay, SECRETS } from './keyed-relay.ts';
import { type Answer, error, expectEnd, jsonOf, post, refusal, upgrade } from './support.ts';

/** How the relay must refuse a token. */
export interface Refused {
  readonly status: number;
  readonly code: string;
  readonly close: number;
}

export const INVALID: Refused = { status: 403, code: 'token_invalid', close: 4503 };
export const CLAIMS_INVALID: Refused = { status: 403, code: 'token_claims_invalid', close: 4503 };

/** Everything a stranger was told about a token. */
export interface Told {
  /** Bytes of the ERROR frame, in hexadecimal. */
  readonly frame: string;
  readonly reason: string;
  readonly detail: string;
  readonly http: Answer;
  readonly upgrade: Answer;
}

function expectNoSecrets(token: string | null, text: string): void {
  for (const secret of [...SECRETS, ...(token?.split('.') ?? [])].filter((part) => part.length > 3))
    expect(text).not.toContain(secret);
}

async function byHello(relay: KeyedRelay, token: string | null, refused: Refused) {
  const client = await relay.open();
  let frame = '';
  client.socket.on('message', (bytes: Buffer) => {
    frame += bytes.toString('hex');
  });
  client.send([1, 1, token]);
  const reason = await expectEnd(client, refused.close, [error(refused.status, refused.code)]);
  return { frame, reason, detail: String(client.frames[0]?.[4]) };
}

function checkAnswer(answer: Answer, refused: Refused): void {
  expect(answer.status).toBe(refused.status);
  expect(jsonOf(answer)).toEqual(refusal(refused.status, refused.code));
  if (refused.status === 401) expect(answer.headers['www-authenticate']).toMatch(/^Bearer/);
}

/** Offers a token in HELLO, for an HTTP publish and at the upgrade, and checks that each is refused and that none gives anything away. */
export async function expectRefused(relay: KeyedRelay, token: string | null, refused: Refused): Promise<Told> {
  const told = await byHello(relay, token, refused);
  const headers = token === null ? {} : { authorization: `Bearer ${token}` };
  const http = await post(`${relay.httpUrl}/v1/channels/secret.lair/messages`, { headers });
  checkAnswer(http, refused);
  const upgraded = await upgrade(relay.url, headers);
  if (token !== null) checkAnswer(upgraded, refused);
  expectNoSecrets(token, JSON.stringify([told.detail, told.reason, http, upgraded]));
  return { ...told, http, upgrade: upgraded };
}
