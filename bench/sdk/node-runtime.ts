import { connect } from '../../src/client/node.ts';
import { measureReceiving, measureSending, type Task } from './measure.ts';

/** One measurement in a Node process of its own: takes a task from its parent, answers `ready` and the result. */
process.once('message', async ({ what, task }: { what: 'sending' | 'receiving'; task: Task }) => {
  const ready = (): unknown => process.send?.({ ready: true });
  const result =
    what === 'sending' ? await measureSending(connect, task) : await measureReceiving(connect, task, ready);
  process.send?.({ result }, () => process.disconnect());
});
