import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { Binding } from '../../../../src/client/crypto/binding.ts';
import { blindName } from '../../../../src/client/crypto/blind.ts';
import { ChannelKey } from '../../../../src/client/crypto/channel-key.ts';
import { KeyRing } from '../../../../src/client/crypto/key-ring.ts';
import { pad } from '../../../../src/client/crypto/padding.ts';
import { sealFrame } from '../../../../src/client/crypto/sframe.ts';
import { bytes, member } from './members.ts';
import { fromHex, toHex } from './vectors.ts';

/** The values of section 9 of docs/ENCRYPTION.md by name; what goes on in a second line is joined. */
function readExample(): (name: string) => Uint8Array {
  const text = readFileSync(fileURLToPath(new URL('../../../../docs/ENCRYPTION.md', import.meta.url)), 'utf8');
  const [, section = ''] = /^## 9.*?$(.*?)^## 10/ms.exec(text) ?? [];
  const rows = section.matchAll(/^ {4}(\w+(?: \w+)*) {2,}("(.*)"|[0-9a-f]+(?:\n {20}[0-9a-f]+)*)$/gm);
  const values = new Map(
    [...rows].map(([, name = '', value = '', quoted]) => [
      name,
      quoted === undefined ? fromHex(value.replace(/\s+/g, '')) : bytes(quoted),
    ]),
  );
  return (name) => {
    const value = values.get(name);
    if (value === undefined) throw new Error(`expected ${name} in the example`);
    return value;
  };
}

const text = (value: Uint8Array): string => Buffer.from(value).toString();
const number = (value: Uint8Array): bigint => BigInt(`0x${toHex(value)}`);

describe('the example of docs/ENCRYPTION.md', () => {
  const example = readExample();
  const key = ChannelKey.fromBytes(example('channel secret'));
  const kid = number(example('KID'));
  const sender = Number(number(example('sender')));
  const ctr = number(example('CTR'));

  it('is what is sealed', async () => {
    const binding = new Binding(text(example('channel name')));
    const metadata = binding.metadata(example('envelope'));
    const plaintext = pad(0, bytes('hello, mayfly'), 'padme');
    const frameKey = await binding.frameKey(key, kid, sender);
    expect(toHex(metadata)).toBe(toHex(example('metadata')));
    expect(toHex(plaintext)).toBe(toHex(example('plaintext')));
    expect(toHex(frameKey.salt)).toBe(toHex(example('sframe_salt')));
    const body = await sealFrame(frameKey, { kid, ctr }, metadata, plaintext);
    expect(toHex(body)).toBe(toHex(example('body')));
    expect(toHex(body)).toMatch(new RegExp(`^${toHex(example('header'))}`));
  });

  it('is opened', async () => {
    const ring = new KeyRing(key, { generation: Number(number(example('generation'))) });
    const opened = await member({ channel: text(example('channel name')), ring }).open({
      sender,
      envelope: example('envelope'),
      body: example('body'),
    });
    expect(opened).toEqual({ kind: 'message', data: bytes('hello, mayfly') });
  });

  it('shows the secret of a passphrase, and a blind name', async () => {
    const derived = await ChannelKey.fromPassphrase(text(example('passphrase')), { salt: example('salt') });
    expect(toHex(derived.toBytes())).toBe(toHex(example('secret')));
    expect(await blindName(example('blind key'), text(example('name')))).toBe(text(example('blind name')));
  });
});
