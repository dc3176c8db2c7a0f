import { connect } from '../../src/client/index.ts';
import { measureReceiving, measureSending, type Task } from './measure.ts';

/** What the page offers to the bench: the same measurements as in Node. */
Object.assign(globalThis, {
  sending: (task: Task) => measureSending(connect, task),
  receiving: (task: Task) =>
    measureReceiving(connect, task, () => (globalThis as unknown as { ready(): void }).ready()),
});
