import { expect, it } from 'vitest';
import { BALANCED, HANDOVER, PLAIN, type Restart } from '../../bench/restart/scenarios.ts';
import { describeWith } from '../support/programs.ts';

const CLIENTS = 50;

/** How the clients of a restart were closed, and how many dials it took the unluckiest to be back. */
async function outcomeOf(restart: Restart): Promise<{ readonly codes: readonly number[]; readonly mostDials: number }> {
  const absences = await restart.run(CLIENTS);
  return {
    codes: [...new Set(absences.map(({ code }) => code))],
    mostDials: Math.max(...absences.map(({ dialCount }) => dialCount)),
  };
}

it('a relay that is stopped and started has all of its clients back, none of them cut', async () => {
  expect((await outcomeOf(PLAIN)).codes).toEqual([4000]);
});

it('a handover on one host refuses no dial', async () => {
  expect(await outcomeOf(HANDOVER)).toEqual({ codes: [4000], mostDials: 1 });
});

describeWith(['haproxy'], 'a relay that leaves a load balancer', () => {
  it('has its clients at the other one with their first dial', async () => {
    expect(await outcomeOf(BALANCED)).toEqual({ codes: [4000], mostDials: 1 });
  });
});
