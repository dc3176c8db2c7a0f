import { afterEach, describe, expect, it, vi } from 'vitest';
import { brief, bytes, frame, member } from './members.ts';

const COUNT = 3000;

type Operation = 'decrypt' | 'encrypt' | 'deriveKey' | 'deriveBits';

/** Lets a WebCrypto operation settle in another order than it was called: all that a turn asked for, as `order` sorts it. */
function disorder(operation: Operation, order: (count: number) => number[]): void {
  const real = crypto.subtle[operation].bind(crypto.subtle) as (...args: unknown[]) => Promise<unknown>;
  let asked: { readonly result: Promise<unknown>; readonly settle: (result: Promise<unknown>) => void }[] = [];
  const release = async (): Promise<void> => {
    const now = asked;
    asked = [];
    await Promise.allSettled(now.map(({ result }) => result));
    for (const at of order(now.length)) {
      now[at]?.settle(now[at].result);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  vi.spyOn(crypto.subtle, operation).mockImplementation(((...args: unknown[]) => {
    if (asked.length === 0) setImmediate(release);
    return new Promise((settle) => asked.push({ result: real(...args), settle }));
  }) as never);
}

const reversed = (count: number): number[] => Array.from({ length: count }, (_, i) => count - 1 - i);

/** The same shuffle each time: by a linear congruence. */
const shuffled = (count: number): number[] => {
  let dice = 12345;
  const places = Array.from({ length: count }, (_, at) => {
    dice = (dice * 1103515245 + 12345) % 2 ** 31;
    return { at, dice };
  });
  return places.sort((a, b) => a.dice - b.dice).map(({ at }) => at);
};

afterEach(() => vi.restoreAllMocks());

describe('where decryptions end in another order than they began', () => {
  it.each([
    ['the reverse', reversed],
    ['any', shuffled],
  ])('%s, a burst of 3,000 frames is opened whole, in the order it came', async (_, order) => {
    const [alice, bob] = [member(), member()];
    const texts = Array.from({ length: COUNT }, (_, i) => `${i}`);
    const bodies = await Promise.all(texts.map((text) => alice.seal('message', bytes(text))));
    disorder('decrypt', order);
    const heard: string[] = [];
    await Promise.all(bodies.map(async (body) => heard.push(brief(await bob.open(frame(body))))));
    expect(heard).toEqual(texts);
  });

  it('the first of two copies is the one that is delivered, and late frames are too old by those before them alone', async () => {
    const [alice, bob] = [member(), member()];
    const bodies = await Promise.all(Array.from({ length: 1100 }, (_, i) => alice.seal('message', bytes(`${i}`))));
    disorder('decrypt', reversed);
    const came = [5, 5, 1029, 6, 6, 1030, 6, 1099, 76, 75].map((at) => bob.open(frame(bodies[at] as Uint8Array)));
    expect((await Promise.all(came)).map(brief)).toEqual([
      '5',
      'replayed',
      '1029',
      '6',
      'replayed',
      '1030',
      'too_old',
      '1099',
      '76',
      'too_old',
    ]);
  });

  it('a forged copy ahead of the true frame, of a key that takes long to derive, does not shut it out', async () => {
    const [alice, bob] = [member({ maxFramesPerKid: 2 }), member()];
    const bodies = await Promise.all(Array.from({ length: 8 }, (_, i) => alice.seal('message', bytes(`${i}`))));
    disorder('deriveKey', reversed);
    disorder('deriveBits', shuffled);
    const came = bodies.flatMap((body) => [Uint8Array.of(...body.slice(0, -1), (body.at(-1) ?? 0) ^ 1), body]);
    const opened = (await Promise.all(came.map((body) => bob.open(frame(body))))).map(brief);
    expect(opened).toEqual(bodies.flatMap((_, i) => ['not_authentic', `${i}`]));
  });

  it('what is sealed at once is handed out, and counted, in the order it was given', async () => {
    const [alice, bob] = [member(), member()];
    disorder('encrypt', shuffled);
    const handed: Uint8Array[] = [];
    await Promise.all(
      Array.from({ length: 40 }, async (_, i) => handed.push(await alice.seal('message', bytes(`${i}`)))),
    );
    vi.restoreAllMocks();
    const heard = [];
    for (const body of handed) heard.push(brief(await bob.open(frame(body))));
    expect(heard).toEqual(handed.map((_, i) => `${i}`));
  });
});
