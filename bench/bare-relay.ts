/**
 * What uWebSockets.js does by itself: a relay without protocol, tokens or checks, to compare Mayfly against.
 * `/TOPIC` subscribes the socket to the topic and publishes what it sends there; `/TOPIC?publish` publishes only.
 */
import { createApp, listen } from '../src/edge/uws.ts';

const MIB = 1024 * 1024;

/** Nobody publishes here: no path holds a question mark. A socket without any subscription cannot publish. */
const PUBLISHERS = '?publish';

interface Member {
  readonly topic: string;
  readonly subscribes: boolean;
}

const app = createApp(undefined).ws<Member>('/*', {
  compression: 0,
  idleTimeout: 120,
  maxBackpressure: 64 * MIB,
  maxPayloadLength: MIB,
  upgrade: (response, request, context) => {
    const member: Member = { topic: request.getUrl().slice(1), subscribes: request.getQuery() !== 'publish' };
    const key = request.getHeader('sec-websocket-key');
    const extensions = request.getHeader('sec-websocket-extensions');
    response.upgrade(member, key, request.getHeader('sec-websocket-protocol'), extensions, context);
  },
  open: (socket) => {
    const { topic, subscribes } = socket.getUserData();
    socket.subscribe(subscribes ? topic : PUBLISHERS);
  },
  message: (socket, message) => {
    socket.publish(socket.getUserData().topic, message, true);
  },
});
const { port } = listen(app, { host: '127.0.0.1', port: 0, isShared: false });
process.stdout.write(`${JSON.stringify({ event: 'listening', url: `ws://127.0.0.1:${port}`, admin: null })}\n`);
