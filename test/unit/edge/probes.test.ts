import { beforeEach, describe, expect, it } from 'vitest';
import { Probes } from '../../../src/edge/probes.ts';

let probes: Probes;
let sent: Uint8Array[];
beforeEach(() => {
  probes = new Probes();
  sent = [];
});

const ping = (nowMs: number): void =>
  probes.ping(nowMs, (payload) => {
    sent.push(Uint8Array.from(payload));
    return true;
  });
const findNoRoom = (nowMs: number): void => probes.ping(nowMs, () => false);
const pong = (index: number): boolean => probes.pong(Uint8Array.from(sent[index] ?? []).buffer);

describe('the age of the oldest byte that waits', () => {
  it('is 0 while no ping is out', () => {
    expect(probes.oldestMs(5000)).toBe(0);
  });

  it('is the age of the oldest ping that is not answered', () => {
    ping(1000);
    ping(1200);
    expect(probes.oldestMs(1500)).toBe(500);
  });

  it('is that of the next ping when the oldest is answered', () => {
    for (const nowMs of [1000, 1200, 1400]) ping(nowMs);
    pong(0);
    expect(probes.oldestMs(1500)).toBe(300);
  });

  it('forgets every ping ahead of the one that was answered', () => {
    for (const nowMs of [1000, 1200, 1400]) ping(nowMs);
    pong(1);
    expect(probes.oldestMs(1500)).toBe(100);
    pong(2);
    expect(probes.oldestMs(1500)).toBe(0);
  });

  it('grows from the first ping that found no room, until one finds it', () => {
    findNoRoom(1000);
    findNoRoom(1300);
    expect(probes.oldestMs(1500)).toBe(500);
    ping(1600);
    expect(probes.oldestMs(1700)).toBe(700);
    pong(0);
    expect(probes.oldestMs(1800)).toBe(0);
  });

  it('is that of the sent ping while a later one found no room, and that of the latter when the first is answered', () => {
    ping(1000);
    findNoRoom(1200);
    expect(probes.oldestMs(1500)).toBe(500);
    pong(0);
    expect(probes.oldestMs(1500)).toBe(300);
  });

  it('is 0 once nothing waits, and pongs of before mean nothing then', () => {
    ping(1000);
    ping(1100);
    findNoRoom(1150);
    probes.clear();
    expect(probes.oldestMs(1200)).toBe(0);
    ping(1300);
    pong(0);
    pong(1);
    expect(probes.oldestMs(1400)).toBe(100);
    pong(2);
    expect(probes.oldestMs(1500)).toBe(0);
  });

  it.each(['', '00', '0000000000', 'ffffffff', '00000001'])(
    'is not moved by the pong %s that answers nothing',
    (hex) => {
      ping(1000);
      probes.pong(Uint8Array.from(Buffer.from(hex, 'hex')).buffer);
      expect(probes.oldestMs(1500)).toBe(500);
    },
  );

  it('is not moved by a pong that comes twice', () => {
    for (const nowMs of [1000, 1200]) ping(nowMs);
    pong(0);
    pong(0);
    expect(probes.oldestMs(1500)).toBe(300);
  });
});

describe('pings', () => {
  it('have payloads of their own', () => {
    for (let i = 0; i < 300; i++) ping(i);
    pong(99);
    for (let i = 0; i < 300; i++) ping(i);
    expect(new Set(sent.map((payload) => Buffer.from(payload).toString('hex'))).size).toBe(600);
  });
});
