/** Counts what is left in a relay's memory of frames, bodies, envelopes and tokens that went through it, path by path: `npm run prove`. */
import { isString, type Trace, trace } from '../test/support/residue/trace.ts';

const TRIALS = [
  { title: 'with an allocator that overwrites what is freed', overwritesFreed: true },
  {
    title: 'with an allocator that does not: what uWebSockets.js and V8 gave back can still be there',
    overwritesFreed: false,
  },
] as const;

const NOTES = `Counted in canaries of 15 bytes, of which all that was sent is made.
* after other traffic, through the buffers that all connections share. A token is a JavaScript string on its way: one copy is left until
  the engine needs the room.
`;

let isProven = true;
for (const { title, overwritesFreed } of TRIALS) {
  const [plain, tls] = [await trace({ isTls: false, overwritesFreed }), await trace({ isTls: true, overwritesFreed })];
  process.stdout.write(`\nCopies in the relay's memory, ${title}\n\n${table(plain, tls)}`);
  if (overwritesFreed)
    isProven = [...plain, ...tls].every(({ path, afterwards }) => afterwards === 0 || isString(path));
}
const control = await trace({ isTls: true, overwritesFreed: true, isControl: true });
const found = control.reduce((sum, { afterwards }) => sum + afterwards, 0);
process.stdout.write(`\nControl, a relay that overwrites nothing, over TLS: ${found} copies after other traffic\n`);
process.exitCode = isProven && found > 0 ? 0 : 1;

function table(plain: readonly Trace[], tls: readonly Trace[]): string {
  const rows = plain.map(({ path, sent, atOnce, afterwards }, i) => {
    const cells = [sent, atOnce ?? '', afterwards, tls[i]?.atOnce ?? '', tls[i]?.afterwards ?? ''];
    return `${path.padEnd(30)}${cells.map((cell) => String(cell).padStart(13)).join('')}\n`;
  });
  const head = ['sent', 'ws at once', 'ws after *', 'wss at once', 'wss after *'];
  const title = `${''.padEnd(30)}${head.map((cell) => cell.padStart(13)).join('')}\n`;
  return `${title}${rows.join('')}${NOTES}`;
}
