import { beforeEach, describe, expect, it } from 'vitest';
import { Probes } from '../../../src/edge/probes.ts';

const SPACING_MS = 100;
let probes: Probes;
let sent: Uint8Array[];
beforeEach(() => {
  probes = new Probes();
  sent = [];
});

const ping = (nowMs: number): void =>
  probes.ping(nowMs, SPACING_MS, (payload) => {
    sent.push(Uint8Array.from(payload));
    return true;
  });
const findNoRoom = (nowMs: number): void => probes.ping(nowMs, SPACING_MS, () => false);
const bufferOf = (bytes: Uint8Array | undefined): ArrayBuffer => Uint8Array.from(bytes ?? []).buffer;
const pong = (index: number): boolean => probes.pong(bufferOf(sent[index]));

describe('the most that the oldest byte can have waited', () => {
  it('runs from when nothing waited', () => {
    probes.clear(1000);
    expect(probes.oldestMs(1250)).toBe(250);
    ping(1200);
    ping(1400);
    expect(probes.oldestMs(1500)).toBe(500);
  });

  it('runs from the ping before the oldest that is not answered', () => {
    probes.clear(1000);
    for (const nowMs of [1200, 1400, 1600]) ping(nowMs);
    pong(0);
    expect(probes.oldestMs(1700)).toBe(500);
    pong(1);
    expect(probes.oldestMs(1700)).toBe(300);
  });

  it('runs from the latest ping when all are answered', () => {
    probes.clear(1000);
    for (const nowMs of [1200, 1400]) ping(nowMs);
    pong(1);
    expect(probes.oldestMs(1500)).toBe(100);
  });

  it('goes on growing while pings find no room', () => {
    probes.clear(1000);
    findNoRoom(1200);
    findNoRoom(1400);
    expect(probes.oldestMs(1500)).toBe(500);
    ping(1600);
    expect(probes.oldestMs(1700)).toBe(700);
    pong(0);
    expect(probes.oldestMs(1800)).toBe(200);
  });

  it('starts anew once nothing waits, and pongs of before mean nothing then', () => {
    probes.clear(1000);
    for (const nowMs of [1100, 1200]) ping(nowMs);
    probes.clear(1300);
    ping(1400);
    pong(0);
    pong(1);
    expect(probes.oldestMs(1500)).toBe(200);
    pong(2);
    expect(probes.oldestMs(1500)).toBe(100);
  });

  it('is not moved by late pongs, which are owed all the same, one for each ping', () => {
    probes.clear(1000);
    for (const nowMs of [1100, 1200]) ping(nowMs);
    probes.clear(1300);
    ping(1400);
    expect([pong(0), pong(1), pong(1)]).toEqual([true, true, false]);
    expect(probes.oldestMs(1500)).toBe(200);
  });

  it('is not moved by a pong that comes twice', () => {
    probes.clear(1000);
    for (const nowMs of [1200, 1400]) ping(nowMs);
    pong(0);
    pong(0);
    expect(probes.oldestMs(1500)).toBe(300);
  });

  it.each(['', '00', '00000000', '00000001', `${'00'.repeat(16)}`, `${'00'.repeat(17)}`, 'ff'.repeat(16)])(
    'is not moved by the pong %s that answers nothing',
    (hex) => {
      probes.clear(1000);
      ping(1200);
      probes.pong(Uint8Array.from(Buffer.from(hex, 'hex')).buffer);
      expect(probes.oldestMs(1500)).toBe(500);
    },
  );

  it('is not moved by a pong in which any one byte is not the ping’s', () => {
    probes.clear(1000);
    ping(1200);
    const payload = sent[0] ?? new Uint8Array();
    for (let i = 0; i < payload.length; i++) {
      const forged = Uint8Array.from(payload);
      forged[i] = (forged[i] ?? 0) ^ 1;
      probes.pong(bufferOf(forged));
      probes.pong(bufferOf(payload.subarray(0, i)));
    }
    expect(probes.oldestMs(1500)).toBe(500);
  });

  it('is not moved by the answer to another connection’s ping', () => {
    const other = new Probes();
    other.clear(1000);
    let payload = new Uint8Array();
    other.ping(1200, SPACING_MS, (bytes) => {
      payload = Uint8Array.from(bytes);
      return true;
    });
    probes.clear(1000);
    ping(1200);
    probes.pong(payload.buffer);
    expect(probes.oldestMs(1500)).toBe(500);
  });
});

describe('pings', () => {
  it('have payloads of their own', () => {
    for (let i = 1; i <= 300; i++) ping(i * SPACING_MS);
    pong(99);
    for (let i = 301; i <= 600; i++) ping(i * SPACING_MS);
    expect(new Set(sent.map((payload) => Buffer.from(payload).toString('hex'))).size).toBe(600);
  });

  it('are spaced', () => {
    probes.clear(0);
    for (let nowMs = 0; nowMs <= 1000; nowMs++) ping(nowMs);
    expect(sent).toHaveLength(10);
  });
});
