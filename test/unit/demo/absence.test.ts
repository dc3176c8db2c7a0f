import { expect, it } from 'vitest';
import { type Absence, describeAbsence } from '../../../src/demo/absence.ts';

it.each<[string, Partial<Absence>]>([
  ['Back after 5.1 s. Missed exactly 0 messages.', {}],
  ['Back after 5.1 s. Missed exactly 1 message, presence signals included. Nobody kept them.', { lost: 1 }],
  ['Back after 5.1 s. Missed exactly 7 messages, presence signals included. Nobody kept them.', { lost: 7 }],
  ['Back after 5.1 s. Missed an unknown number of messages: the relay restarted.', { lost: null, isSameRelay: false }],
  [
    'Back after 5.1 s. Missed an unknown number of messages: everybody had left, and the relay forgot the room.',
    { lost: null },
  ],
])('an absence is told as exactly as it is known: %s', (line, absence) => {
  expect(describeAbsence({ awayMs: 5123, lost: undefined, isSameRelay: true, ...absence })).toBe(line);
});
