import { describe, expect, it } from 'vitest';
import type { Rules } from '../../../src/core/grants.ts';
import { regrant } from '../../../src/core/regrant.ts';
import { framesIn } from './fake-fanout.ts';
import { type Client, grants, World } from './world.ts';

const rulesWith = (change: Partial<Record<'can' | 'ceiling' | 'not', Record<string, string>>>): Rules => ({
  can: grants(change.can ?? { '>': 'rwp' }),
  ceiling: grants(change.ceiling ?? { '>': 'rwp' }),
  not: grants(change.not ?? {}),
  ops: [],
});

/** Ids the new rules end, in a world with a channel `a.b` (all modes), a channel `c` (publish) and a pattern `a.*`. */
function ended(rules: Rules): { names: string[]; ann: Client; world: World } {
  const world = new World();
  const ann = world.connect();
  const names = new Map([
    [ann.attach('a.b', 15), 'a.b'],
    [ann.attach('c', 2), 'c'],
    [ann.attach('a.*', 1), 'a.*'],
  ]);
  const detached: Uint8Array[] = [];
  world.slices.finish(regrant(ann.session, rules, world.channels, detached));
  const frames = detached.flatMap(framesIn);
  for (const frame of frames) expect([frame[0], frame[1], frame[3], frame[4]]).toEqual([18, null, 403, 'forbidden']);
  return { names: frames.map(([, , id]) => names.get(Number(id)) ?? 'unknown').sort(), ann, world };
}

describe('other rules on a live session', () => {
  it.each<[string, Rules, string[]]>([
    ['end nothing that they cover', rulesWith({}), []],
    ['end what is granted no more', rulesWith({ can: { 'a.>': 'rwp' } }), ['c']],
    ['end an attachment of which one mode is gone', rulesWith({ not: { 'a.b': 'p' } }), ['a.b']],
    ['end a pattern that no one grant covers', rulesWith({ can: { 'a.b': 'rwp', c: 'w' } }), ['a.*']],
    ['end a pattern that a denial touches', rulesWith({ not: { 'a.x': 'r' } }), ['a.*']],
    ['end what the ceiling covers no more', rulesWith({ ceiling: { c: 'w' } }), ['a.*', 'a.b']],
    ['end everything when nothing is granted', rulesWith({ can: {} }), ['a.*', 'a.b', 'c']],
  ])('%s', (_, rules, expected) => {
    const { names, ann } = ended(rules);
    expect(names).toEqual(expected);
    expect(ann.session.rules).toBe(rules);
  });

  it('leave no subscription behind when they end everything', () => {
    const { ann, world } = ended(rulesWith({ can: {} }));
    expect(world.fanout.topicsOf(ann.session.connection)).toEqual([]);
    expect(world.meter).toMatchObject({ channels: 0, attachments: 0 });
    expect(ann.session.attachmentCount).toBe(0);
  });

  it('end the delivery of frames through a pattern at once', () => {
    const { ann, world } = ended(rulesWith({ can: { c: 'w' } }));
    const bob = world.connect();
    bob.attach('a.b', 2);
    bob.attach('a.c', 2);
    expect([...ann.framesOf(4), ...ann.framesOf(27)]).toEqual([]);
  });
});
