// Exits with 0 where a process may read its children's memory.
const { spawn } = require('node:child_process');
const { openSync } = require('node:fs');

const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 10_000)']);
try {
  openSync(`/proc/${child.pid}/mem`, 'r');
} finally {
  child.kill();
}
