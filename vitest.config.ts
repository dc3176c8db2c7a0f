import { defineConfig } from 'vitest/config';

const project = (name: string, testTimeout: number) => ({
  extends: true as const,
  test: { name, include: [`test/${name}/**/*.test.ts`], testTimeout },
});

export default defineConfig({
  test: {
    hookTimeout: 60_000,
    expect: { poll: { timeout: 10_000 } }, // a bound, for machines with much to do
    pool: 'forks',
    maxWorkers: 2,
    projects: [
      project('unit', 10_000),
      project('property', 120_000),
      project('integration', 60_000),
      project('hardening', 60_000),
      project('docs', 10_000),
      project('e2e', 120_000),
      {
        extends: true,
        test: {
          name: 'types',
          include: [],
          typecheck: { enabled: true, only: true, include: ['test/types/**/*.test-d.ts'], tsconfig: 'tsconfig.json' },
        },
      },
    ],
  },
});
