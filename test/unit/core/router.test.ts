import { expect, it } from 'vitest';
import { tokenWith, World } from './world.ts';

it('a frame published by HTTP is in no memory of the router’s once it was handed on', () => {
  const world = new World();
  world.connect().attach('room', 1);
  const admitted = world.sessions.admit(tokenWith());
  if ('status' in admitted) throw new Error(admitted.code);
  const [envelope, body] = [Buffer.from('an envelope'), Buffer.from('a body')];
  world.turn.open();
  for (let i = 0; i < 3; i++)
    world.router.publish({ tenant: admitted.tenant, sub: 'alice' }, 'room', ['room'], { envelope, body });
  world.endTurn();
  expect(world.fanout.published.map(({ bytes }) => bytes.toString('latin1')).join()).toMatch(/an envelope.*a body/s);
  for (const { source } of world.fanout.published) {
    expect(new Uint8Array(source.buffer).every((byte) => byte === 0)).toBe(true);
  }
  expect([envelope, body].map(String)).toEqual(['an envelope', 'a body']);
});
