import { describe, expect, it } from 'vitest';
import { Roster } from '../../../src/demo/roster.ts';

function member(sender: number, name: string, id = name) {
  const text = JSON.stringify({ id, name });
  return { sender, text, data: new TextEncoder().encode(text) };
}

describe('a roster', () => {
  it('says who joins, is called something else, leaves, and is back', () => {
    const roster = new Roster();
    expect(roster.join(member(1, 'Ada'))).toBe('Ada joined');
    expect(roster.update(member(1, 'Grace', 'Ada'))).toBe('Ada is now called Grace');
    expect(roster.names).toEqual(['Grace']);
    expect(roster.leave(member(1, 'Grace', 'Ada'))).toBe('Grace left');
    expect(roster.join(member(2, 'Grace', 'Ada'))).toBe('Grace is back');
  });

  it('says nothing of those who were there before a reconnect and are still there', () => {
    const roster = new Roster();
    roster.join(member(1, 'Ada'));
    roster.join(member(2, 'Ben'));
    roster.away();
    expect([roster.leave(member(1, 'Ada')), roster.leave(member(2, 'Ben'))]).toEqual([undefined, undefined]);
    expect(roster.join(member(3, 'Ada'))).toBeUndefined();
    expect(roster.settled()).toEqual(['Ben left meanwhile']);
    expect(roster.names).toEqual(['Ada']);
    expect(roster.leave(member(3, 'Ada'))).toBe('Ada left');
  });

  it('calls a member that says nothing readable by its connection', () => {
    expect(new Roster().join({ sender: 7, text: '{', data: new Uint8Array() })).toBe('7 joined');
  });
});
