import { describe, expect, it } from 'vitest';
import { maySubscribePattern, permissionsFor } from '../../../src/core/authorize.ts';
import { lettersOf, type Rules } from '../../../src/core/grants.ts';
import { grants } from './world.ts';

type Map = Readonly<Record<string, string>>;
const rulesOf = (can: Map, ceiling: Map = { '>': 'rwpa' }, not: Map = {}): Rules => ({
  can: grants(can),
  ceiling: grants(ceiling),
  not: grants(not),
  ops: [],
});

describe('the permission for a channel', () => {
  it.each([
    ['comes from a grant', rulesOf({ 'room.42': 'rw' }), 'room.42', 'rw'],
    ['is none without a grant', rulesOf({ 'room.42': 'rw' }), 'room.43', ''],
    ['adds up over grants', rulesOf({ 'room.*': 'r', 'room.42': 'w', '>': 'p' }), 'room.42', 'rwp'],
    ['ends at the ceiling of the key', rulesOf({ '>': 'rwpa' }, { 'room.>': 'rw', '*.42': 'p' }), 'room.42', 'rwp'],
    ['is none outside the ceiling', rulesOf({ '>': 'rwpa' }, { 'room.>': 'rw' }), 'dm.a', ''],
    ['is taken away by a denial', rulesOf({ '>': 'rwp' }, { '>': 'rwp' }, { 'room.*': 'w' }), 'room.42', 'rp'],
    ['stays where a denial does not reach', rulesOf({ '>': 'rwp' }, { '>': 'rwp' }, { 'room.*': 'w' }), 'room', 'rwp'],
    [
      'is taken away by a wider denial than the grant',
      rulesOf({ 'a.b': 'rw' }, { '>': 'rw' }, { '>': 'r' }),
      'a.b',
      'w',
    ],
  ])('%s', (_, rules, channel, letters) => {
    expect(lettersOf(permissionsFor(rules, channel.split('.')))).toBe(letters);
  });
});

describe('a pattern may be subscribed to', () => {
  it.each([
    ['when one grant covers it', rulesOf({ 'a.>': 'r' }), 'a.*', true],
    ['not when two grants cover it together', rulesOf({ a: 'r', 'a.>': 'r', '*': 'r', '*.>': 'r' }), '>', false],
    ['not when the grant that covers it is for publishing', rulesOf({ 'a.>': 'w' }), 'a.*', false],
    ['not when the ceiling does not cover it', rulesOf({ '>': 'r' }, { 'a.*': 'r' }), 'a.>', false],
    [
      'not when two entries of the ceiling cover it together',
      rulesOf({ '>': 'r' }, { '*': 'r', '*.>': 'r' }),
      '>',
      false,
    ],
    ['not when a denial of r touches it', rulesOf({ '>': 'r' }, { '>': 'r' }, { 'a.secret': 'r' }), 'a.*', false],
    ['when a denial is elsewhere', rulesOf({ '>': 'r' }, { '>': 'r' }, { 'b.secret': 'r' }), 'a.*', true],
    ['when a denial is of other letters', rulesOf({ '>': 'r' }, { '>': 'r' }, { 'a.secret': 'wpa' }), 'a.*', true],
  ])('%s', (_, rules, pattern, expected) => {
    expect(maySubscribePattern(rules, pattern.split('.'))).toBe(expected);
  });
});
