import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Account, type Statement } from '../../../src/client/account.ts';
import { ReplayWindow } from '../../../src/client/crypto/replay-window.ts';
import { Tally } from '../../../src/client/tally.ts';

/** What happens to the next frame of a sender on its way to one receiver, or between frames. */
const FATES = ['comes', 'unsent', 'refused by the relay', 'skipped', 'refused here', 'no room', 'withheld'] as const;
const MOMENTS = ['HEAD', 'states', 'new KID', 'reconnects', 'reconnects blindly', 'attaches late'] as const;
type Step = { readonly sender: number; readonly what: (typeof FATES)[number] | (typeof MOMENTS)[number] };

/** A sender, what its receiver saw of each KID, and statements under way. */
class Sender {
  readonly account = new Account();
  readonly windows = new Map<bigint, ReplayWindow>();
  kid: bigint;
  next = 0;
  readonly id: number;
  constructor(id: number) {
    this.id = id;
    this.kid = BigInt(id) << 32n;
  }
}

/** Two senders, an honest relay or one that withholds, and a receiver: only what they can know is handed to the real classes. */
class Model {
  readonly senders = [new Sender(1), new Sender(2)];
  readonly tally = new Tally();
  /** Frames that the relay skipped and has not told of yet. */
  skipped = 0;
  told = new Map<number, number>();
  withheld = new Map<number, number>();
  otherLosses = 0;

  step({ sender: index, what }: Step): void {
    const sender = this.senders[index] as Sender;
    if (what === 'HEAD') this.head();
    else if (what === 'states') this.state(sender);
    else if (what === 'new KID') {
      this.state(sender); // as the SDK does soon after
      sender.kid++;
      sender.next = 0;
    } else if (what === 'reconnects') {
      this.tally.lost(this.skipped); // the numbers passed over, of which no HEAD will speak any more
      this.skipped = 0;
    } else if (what === 'reconnects blindly') {
      this.tally.lost(null);
      this.skipped = 0;
    } else if (what === 'attaches late') {
      for (const each of this.senders) each.windows.clear();
      this.tally.lost(null);
      this.skipped = 0;
      this.withheld.clear();
      this.told.clear();
    } else this.frame(sender, what);
  }

  frame(sender: Sender, fate: (typeof FATES)[number]): boolean {
    const place = { kid: sender.kid, ctr: sender.next++ };
    const id = `${sender.id} ${place.kid}`;
    sender.account.seals(place);
    if (fate === 'unsent') sender.account.unsent(place);
    else if (fate === 'refused by the relay') sender.account.refused();
    else if (fate === 'skipped') this.skipped++;
    else if (fate === 'refused here' || fate === 'no room') this.tally.refused(id);
    else if (fate === 'withheld') this.withheld.set(sender.id, (this.withheld.get(sender.id) ?? 0) + 1);
    if (fate === 'skipped' || fate === 'refused here' || fate === 'no room') this.otherLosses++;
    if (fate !== 'comes') return false;
    const window = sender.windows.get(place.kid) ?? new ReplayWindow();
    sender.windows.set(place.kid, window);
    expect(window.accept(place.ctr)).toBe('fresh');
    this.tally.opened(id, window);
    return true;
  }

  head(): void {
    if (this.skipped > 0) this.tally.lost(this.skipped);
    this.skipped = 0;
  }

  state(sender: Sender): void {
    const statements: Statement[] = sender.account.mark()();
    this.frame(sender, 'comes'); // COUNT itself
    for (const [kid, , refusedCount] of statements) this.tally.stated(`${sender.id} ${kid}`, refusedCount);
    this.head(); // the link has caught up
    for (const [kid, upTo] of statements) {
      const id = `${sender.id} ${kid}`;
      const count = this.tally.unexplained(id, upTo);
      this.tally.tell(id, count);
      if (count > 0) this.told.set(sender.id, (this.told.get(sender.id) ?? 0) + count);
    }
  }
}

const stepsOf = (whats: readonly Step['what'][]): fc.Arbitrary<Step[]> =>
  fc.array(fc.record({ sender: fc.nat(1), what: fc.constantFrom(...whats) }), { maxLength: 120 });

describe('the law of what is withheld', () => {
  const honest = [...FATES, ...FATES, ...MOMENTS].filter((what) => what !== 'withheld');

  it('never accuses an honest relay, whatever is lost, refused, skipped, kept out or missed', () => {
    fc.assert(
      fc.property(stepsOf(honest), (steps) => {
        const model = new Model();
        for (const step of steps) model.step(step);
        for (const sender of model.senders) model.state(sender);
        expect([...model.told]).toEqual([]);
      }),
      { numRuns: 3000 },
    );
  });

  it('counts exactly, by sender, where nothing else is lost here', () => {
    const whats: Step['what'][] = ['comes', 'comes', 'withheld', 'states', 'unsent', 'refused by the relay'];
    fc.assert(
      fc.property(stepsOf(whats), (steps) => {
        const model = new Model();
        for (const sender of model.senders) model.frame(sender, 'comes');
        for (const step of steps) model.step(step);
        for (const sender of model.senders) model.state(sender);
        expect(model.told).toEqual(model.withheld);
      }),
      { numRuns: 3000 },
    );
  });

  it('never tells more than was withheld, and with what else is told never less than of one sender', () => {
    const whats = [...FATES, 'withheld', 'comes', 'comes', 'HEAD', 'states', 'reconnects'] as const;
    fc.assert(
      fc.property(stepsOf(whats), (steps) => {
        const model = new Model();
        for (const sender of model.senders) model.frame(sender, 'comes');
        for (const step of steps) model.step(step);
        for (const sender of model.senders) model.state(sender);
        for (const { id } of model.senders) {
          const [told, withheld] = [model.told.get(id) ?? 0, model.withheld.get(id) ?? 0];
          expect(told).toBeLessThanOrEqual(withheld);
          expect(told + model.otherLosses).toBeGreaterThanOrEqual(withheld);
        }
      }),
      { numRuns: 3000 },
    );
  });
});
