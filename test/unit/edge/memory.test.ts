import { beforeEach, describe, expect, it } from 'vitest';
import type { Session } from '../../../src/core/session.ts';
import { Backlogs } from '../../../src/edge/backlogs.ts';
import { Memory } from '../../../src/edge/memory.ts';
import { Peer } from '../../../src/edge/peer.ts';
import type { TemplatedApp } from '../../../src/edge/uws.ts';
import { World } from '../core/world.ts';

const NO_APP = {} as TemplatedApp; // nothing of it is used
const TENANT_LIMIT = 1000;
const TOTAL_LIMIT = 1500;
const MEMORY_LIMIT = 8000;

let world: World;
let backlogs: Backlogs;
let cut: string[];
let resident: number;
let used: number;
let memory: Memory;
const names = new Map<Peer, string>();
beforeEach(() => {
  world = new World({}, { backlogBytes: TENANT_LIMIT });
  backlogs = new Backlogs();
  cut = [];
  resident = 0;
  used = 0;
  memory = new Memory({
    backlogs,
    cut: (peer) => {
      cut.push(names.get(peer) ?? 'unknown');
      backlogs.note(peer, 0);
    },
    limits: { maxMemoryBytes: MEMORY_LIMIT, maxBacklogBytes: TOTAL_LIMIT },
    residentBytes: () => resident,
    usedBytes: () => used,
  });
});

/** A connection for which so many bytes wait. */
function waiting(name: string, bytes: number, tenant: 'acme' | 'globex' | null = 'acme'): Peer {
  const peer = new Peer(NO_APP, 0, null, '');
  const session: Session | null = tenant === null ? null : world.connect({ tenant }).session;
  peer.session = session;
  names.set(peer, name);
  backlogs.note(peer, bytes);
  return peer;
}

describe('what waits for connections to read', () => {
  it('is counted as it grows, shrinks and goes away', () => {
    const peer = waiting('a', 100);
    waiting('b', 50, 'globex');
    waiting('c', 7, null);
    expect(backlogs.totalBytes).toBe(157);
    backlogs.note(peer, 20);
    expect(backlogs.totalBytes).toBe(77);
    peer.session = null; // as when it is closed
    backlogs.note(peer, 0);
    expect(backlogs.totalBytes).toBe(57);
  });

  it('may be as much as the limits say', () => {
    waiting('a', TENANT_LIMIT);
    waiting('b', 500, 'globex');
    memory.review();
    expect([cut, memory.isFull]).toEqual([[], false]);
  });

  it('over the limit of a tenant costs that tenant its largest backlogs, until a quarter is free, and no other tenant', () => {
    waiting('small', 100);
    waiting('largest', 500);
    waiting('large', 450);
    waiting('other', 440, 'globex');
    memory.review();
    expect(cut).toEqual(['largest']);
    memory.review();
    expect(cut).toHaveLength(1);
  });

  it('over the limit of all costs the heaviest tenant first, and those without a session are one of them', () => {
    waiting('light', 300);
    waiting('heavy', 900, 'globex');
    waiting('stranger', 400, null);
    memory.review();
    expect(cut).toEqual(['heavy']);
  });
});

describe('memory over its limit', () => {
  beforeEach(() => {
    resident = MEMORY_LIMIT + 1;
  });

  it('is made free by cutting the heaviest, and newcomers are taken as long as that helps', () => {
    waiting('heavy', 700);
    waiting('light', 600, 'globex');
    used = MEMORY_LIMIT;
    memory.review();
    expect([cut, memory.isFull]).toEqual([['heavy'], false]);
    memory.review();
    expect([cut, memory.isFull]).toEqual([['heavy', 'light'], true]);
    resident = MEMORY_LIMIT;
    memory.review();
    expect(memory.isFull).toBe(false);
  });

  it('that the engine does not use, and only the system has not back, refuses nobody', () => {
    used = MEMORY_LIMIT / 2;
    memory.review();
    expect(memory.isFull).toBe(false);
    used++;
    memory.review();
    expect(memory.isFull).toBe(true);
  });
});
