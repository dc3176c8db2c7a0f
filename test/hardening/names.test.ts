import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { TestClient } from '../support/client.ts';
import { startTestRelay, stopRelays, type TestRelay } from '../support/relay.ts';
import { error, expectAlive, type Innocents, innocent, jsonOf, post, refusal } from './support.ts';

const NO_NAMES: readonly (readonly [name: string, text: string])[] = [
  ['an empty segment in the middle', 'a..b'],
  ['an empty segment at the start', '.a'],
  ['an empty segment at the end', 'a.'],
  ['17 segments', Array(17).fill('s').join('.')],
  ['201 bytes', 'x'.repeat(201)],
  ['201 bytes in segments', `${'x'.repeat(100)}.${'x'.repeat(100)}`],
  ['far too long', 'x'.repeat(60_000)],
  ['a space', 'a b'],
  ['a space at the end', 'room '],
  ['a tab', 'a\tb'],
  ['a line feed at the end', 'room\n'],
  ['NUL', 'a\0b'],
  ['DEL', 'a\x7fb'],
  ['a letter of Latin-1', 'é'],
  ['a letter of two UTF-16 units', 'a.𝔞'],
  ['a full-width full stop', 'a．b'],
  ['a byte order mark', '\ufeffa'],
  ['a reserved name', '$audit'],
  ['a reserved name of one character', '$'],
  ['a reserved name with segments', '$sys.a'],
];

const NO_PATTERNS: readonly (readonly [name: string, text: string])[] = [
  ['* inside a segment', 'a*b'],
  ['* at the start of a segment', 'a.*b'],
  ['two * in a segment', '**'],
  ['> not last', 'a.>.b'],
  ['> first and not last', '>.a'],
  ['> twice', '>.>'],
  ['> inside a segment', 'a>'],
  ['> and * in a segment', 'a.*>'],
  ['an empty segment ahead of >', 'a..>'],
  ['17 segments with >', `${Array(16).fill('s').join('.')}.>`],
  ['201 bytes with >', `${'x'.repeat(199)}.>`],
  ['a space and *', 'a .*'],
  ['a reserved pattern', '$audit.*'],
  ['a reserved pattern with >', '$.>'],
];

const PATTERNS = ['a.*', '*', '>', 'a.>', '*.*.>'];

const GOOD_NAMES: readonly (readonly [name: string, text: string])[] = [
  ['16 segments', Array(16).fill('s').join('.')],
  ['200 bytes', 'x'.repeat(200)],
  ['every character a segment may hold', '!"#$%&\'()+,-/0:;<=?@A[\\]^_`a{|}~'],
  ['$ that is not first', 'a.$b'],
  ['what a path or a URL would take apart', 'a/b?c#d%2e&e=f+g'],
  ['what an object would inherit', '__proto__'],
];

describe('a channel name', () => {
  let relay: TestRelay;
  let token: string;
  let abuser: TestClient;
  let others: Innocents;
  beforeAll(async () => {
    relay = await startTestRelay();
    token = await relay.mint();
    abuser = await relay.connect();
    others = await innocent(relay);
  });
  afterEach(async () => {
    await expectAlive(abuser);
    await others.feltNothing();
  });
  afterAll(stopRelays);

  const publishTo = (name: string) =>
    post(`${relay.httpUrl}/v1/channels/${encodeURIComponent(name)}/messages`, { token });

  it.each<readonly [string, string]>([['nothing', ''], ...NO_NAMES])(
    'is refused by ATTACH for every mode: %s',
    async (_name, text) => {
      for (const modes of [1, 2, 15]) {
        const answer = await abuser.request(2, text, modes);
        expect(answer).toEqual(error(400, 'bad_channel', answer[1] as number));
        if (text !== '') expect(answer[4]).not.toContain(text);
      }
    },
  );

  it.each(NO_PATTERNS)('is refused by ATTACH as a pattern: %s', async (_name, text) => {
    const answer = await abuser.request(2, text, 1);
    expect(answer).toEqual(error(400, 'bad_channel', answer[1] as number));
  });

  it.each([...NO_NAMES.filter(([name]) => name !== 'far too long'), ...NO_PATTERNS])(
    'is refused by HTTP: %s',
    async (_name, text) => {
      const answer = await publishTo(text);
      expect(answer.status).toBe(400);
      expect(jsonOf(answer)).toEqual(refusal(400, 'bad_channel'));
      expect(answer.text).not.toContain(text);
    },
  );

  it.each(PATTERNS)('is not a pattern for HTTP, which publishes to one channel: %s', async (text) => {
    expect(jsonOf(await publishTo(text))).toEqual(refusal(400, 'bad_channel'));
  });

  it.each(['%zz', '%', '%e9', '%c0%ae', '%00', 'a%20b', 'a%'])(
    'is refused by HTTP for what is behind its percent signs: %s',
    async (encoded) => {
      const answer = await post(`${relay.httpUrl}/v1/channels/${encoded}/messages`, { token });
      expect(answer.status).toBe(400);
      expect(jsonOf(answer)).toEqual(refusal(400, 'bad_channel'));
    },
  );

  it('is refused by ATTACH when its bytes are not UTF-8', async () => {
    abuser.send(Buffer.from('9402cd7001a3 61ff62 01'.replaceAll(' ', ''), 'hex'));
    expect(await abuser.nextOf(21)).toEqual(error(400, 'bad_channel', 0x7001));
  });

  it.each(GOOD_NAMES)('is good by ATTACH and by HTTP: %s', async (_name, text) => {
    const reader = await relay.connect();
    const { channelId } = await reader.attach(text, 1);
    const answer = await publishTo(text);
    expect(jsonOf(answer)).toEqual({ seq: 1, subscribers: 1 });
    expect(await reader.nextOf(4)).toEqual([4, channelId, 1, 0, null, new Uint8Array([0x78])]);
    reader.terminate();
  });

  it('is compared byte by byte', async () => {
    const ids = new Set<number>();
    for (const text of ['case', 'Case', 'case.', 'case.a', '%63ase', 'c%61se'].filter((name) => !name.endsWith('.')))
      ids.add((await abuser.attach(text, 1)).channelId);
    expect(ids.size).toBe(5);
  });
});
