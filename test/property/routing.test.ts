import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { message } from '../support/client.ts';
import { type Client, World } from '../unit/core/world.ts';
import { isMatch } from './names.ts';

const NAMES = ['a', 'a.b', 'a.c', 'b'] as const;
const PATTERNS = ['>', 'a.*', 'a.>', '*'] as const;
const MODES = [1, 2, 3, 4, 7, 11, 15] as const;
const [R, W, ECHO] = [1, 2, 8] as const;

const who = fc.nat(3);
const name = fc.constantFrom(...NAMES);
const steps = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('attach' as const), who, name, modes: fc.constantFrom(...MODES) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('detach' as const), who, name }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('watch' as const), who, pattern: fc.constantFrom(...PATTERNS) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('unwatch' as const), who, pattern: fc.constantFrom(...PATTERNS) }),
  },
  {
    weight: 12,
    arbitrary: fc.record({ do: fc.constant('publish' as const), who, name, count: fc.integer({ min: 1, max: 4 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('leave' as const), who }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('end' as const) }) },
);
type Step = typeof steps extends fc.Arbitrary<infer T> ? T : never;

/** What one connection asked for, and the frames that by the document it must get. */
interface Member {
  readonly client: Client;
  readonly named: Map<string, { id: number; modes: number }>;
  readonly watched: Map<string, number>;
  readonly owed: string[];
}

/** The relay by the words of docs/PROTOCOL.md: names, sets and lists, and no turn. */
class Model {
  readonly world = new World();
  readonly members: Member[] = [];
  readonly live = new Map<string, { id: number; seq: number }>();
  readonly gone: Member[] = [];

  member(index: number): Member {
    const existing = this.members[index];
    if (existing !== undefined) return existing;
    const member = { client: this.world.connect(), named: new Map(), watched: new Map(), owed: [] };
    this.members[index] = member;
    return member;
  }

  inside(channel: string): Member[] {
    return this.members.filter(
      (member) =>
        member?.named.has(channel) || [...(member?.watched.keys() ?? [])].some((pattern) => covers(pattern, channel)),
    );
  }

  attachedCount(): number {
    const inChannels = [...this.live.keys()].reduce((sum, channel) => sum + this.inside(channel).length, 0);
    return inChannels + this.members.reduce((sum, member) => sum + member.watched.size, 0);
  }

  run(step: Step): void {
    if (step.do === 'end') {
      this.world.endTurn();
      return;
    }
    const member = this.member(step.who);
    if (step.do === 'attach') this.#attach(member, step.name, step.modes);
    else if (step.do === 'detach') this.#detach(member, step.name);
    else if (step.do === 'watch' && !member.watched.has(step.pattern))
      member.watched.set(step.pattern, member.client.attach(step.pattern, R));
    else if (step.do === 'unwatch') this.#unwatch(member, step.pattern);
    else if (step.do === 'publish') this.#publish(member, step.name, step.count);
    else if (step.do === 'leave') this.#leave(member, step.who);
    for (const channel of [...this.live.keys()]) if (this.inside(channel).length === 0) this.live.delete(channel);
  }

  #attach(member: Member, channel: string, modes: number): void {
    if (member.named.has(channel)) return;
    const [, , id, , seq, occupancy] = member.client.request(2, channel, modes);
    const live = this.live.get(channel) ?? { id: Number(id), seq: 0 };
    this.live.set(channel, live);
    member.named.set(channel, { id: Number(id), modes });
    expect([id, seq, occupancy]).toEqual([live.id, live.seq, this.inside(channel).length]);
  }

  #detach(member: Member, channel: string): void {
    const named = member.named.get(channel);
    if (named === undefined) return;
    expect(member.client.request(3, named.id)[4]).toBe('detached');
    member.named.delete(channel);
  }

  #unwatch(member: Member, pattern: string): void {
    const id = member.watched.get(pattern);
    if (id === undefined) return;
    expect(member.client.request(3, id)[4]).toBe('detached');
    member.watched.delete(pattern);
  }

  #publish(sender: Member, channel: string, count: number): void {
    const live = this.live.get(channel);
    if (live === undefined) return;
    sender.client.send(...Array.from({ length: count }, () => message(live.id, 'body')));
    const modes = sender.named.get(channel)?.modes ?? 0;
    if ((modes & W) === 0) return;
    for (let i = 0; i < count; i++) {
      live.seq++;
      for (const member of this.inside(channel)) {
        const isByName = ((member.named.get(channel)?.modes ?? 0) & R) !== 0;
        const isByPattern = [...member.watched.keys()].some((pattern) => covers(pattern, channel));
        if (!isByName && !isByPattern) continue;
        if (member !== sender || (modes & ECHO) !== 0) member.owed.push(`${live.id}#${live.seq}`);
      }
    }
  }

  #leave(member: Member, index: number): void {
    this.world.endTurn(); // what waits for a connection that goes away may be lost
    member.client.leave();
    this.gone.push(member);
    delete this.members[index];
  }
}

function covers(pattern: string, channel: string): boolean {
  return isMatch(pattern.split('.'), channel.split('.'));
}

/** What a connection got, but for own frames it did not ask to get back, channel by channel; checks that each was announced before. */
function got(member: Member): string[] {
  const announced = new Set<unknown>();
  const frames: string[] = [];
  for (const [type, first, second, third] of member.client.frames) {
    if (type === 17) announced.add(second);
    if (type === 27) announced.add(first);
    if (type !== 4) continue;
    expect(announced.has(first)).toBe(true);
    const isOwn = third === member.client.session.sender;
    if (!isOwn || member.owed.includes(`${first}#${second}`)) frames.push(`${first}#${second}`);
  }
  return frames;
}

/** The same frames, channel after channel; the order within each stays. */
const byChannel = (frames: readonly string[]): string[] =>
  frames.toSorted((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));

describe('the core, whatever its connections do', () => {
  it('gives every frame to exactly those the document says, in order and once, and counts what is attached', () => {
    fc.assert(
      fc.property(fc.array(steps, { minLength: 5, maxLength: 60 }), (schedule) => {
        const model = new Model();
        for (let i = 0; i < 4; i++) model.member(i);
        for (const step of schedule) {
          model.run(step);
          const { channels, attachments } = model.world.meter;
          expect([channels, attachments]).toEqual([model.live.size, model.attachedCount()]);
        }
        model.world.endTurn();
        const present = model.members.filter((member) => member !== undefined);
        for (const member of [...present, ...model.gone])
          expect(byChannel(got(member))).toEqual(byChannel(member.owed));
        for (const member of present) member.client.leave();
        model.world.endTurn();
        expect(model.world.meter).toMatchObject({ channels: 0, attachments: 0 });
      }),
      { numRuns: 2000 },
    );
  });
});
