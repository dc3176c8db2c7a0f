import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { describeWith } from '../support/programs.ts';
import { isString, trace } from '../support/residue/trace.ts';

const READS_MEMORY = [
  process.execPath,
  fileURLToPath(new URL('../support/residue/reads-memory-of-children.cjs', import.meta.url)),
];

describeWith(
  ['openssl', READS_MEMORY],
  'in the memory of a relay that overwrites, under an allocator that does',
  () => {
    it.each([false, true])('nothing is left of what went through it, on any path (TLS: %s)', async (isTls) => {
      const traces = await trace({ isTls, overwritesFreed: true });
      expect(traces.filter(({ path, afterwards }) => afterwards > 0 && !isString(path))).toEqual([]);
      expect(traces).toHaveLength(16);
      for (const { path, sent, afterwards } of traces) {
        expect(sent).toBeGreaterThan(0);
        if (isString(path)) expect(afterwards, `${path}: the string itself`).toBeLessThanOrEqual(sent);
      }
    });

    it('what is left would be found: the same relay that overwrites nothing is full of it', async () => {
      const traces = await trace({ isTls: true, overwritesFreed: true, isControl: true });
      const left = new Map(traces.map(({ path, afterwards }) => [path, afterwards]));
      for (const path of ['frame', 'envelope', 'frame refused', 'text message', 'body, HTTP', 'envelope, HTTP']) {
        expect(left.get(path), path).toBeGreaterThan(0);
      }
      const hello = traces.find(({ path }) => path === 'token refused, HELLO');
      expect(hello?.afterwards).toBeGreaterThan(hello?.sent ?? 0); // its bytes beside its string
    });
  },
);
