// Run by the test with a relay's own flags: tries what the relay must not be able to do, and prints what came of it.
const { spawnSync } = require('node:child_process');
const { writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { Worker } = require('node:worker_threads');

const attempts = {
  write: () => writeFileSync(join(process.env.PROBE_FOLDER, 'written'), 'x'),
  spawn: () => spawnSync('true'),
  worker: () => new Worker('', { eval: true }),
};

const outcome = {};
for (const [name, attempt] of Object.entries(attempts)) {
  try {
    attempt();
    outcome[name] = 'allowed';
  } catch (error) {
    outcome[name] = error.code;
  }
}
process.stderr.write(`${JSON.stringify({ probe: outcome })}\n`);
