import { expect, it } from 'vitest';
import { AddressPrefixes, UNKNOWN } from '../../../src/edge/address-prefix.ts';

const bytes = (hex: string): ArrayBuffer => Uint8Array.from(Buffer.from(hex, 'hex')).buffer;

it('an IPv4 address is told from its neighbour, also where it is written as IPv6', () => {
  const prefixes = new AddressPrefixes();
  expect(prefixes.of(bytes('c0000201'))).toBe(prefixes.of(bytes('c0000201')));
  expect(prefixes.of(bytes('c0000201'))).not.toBe(prefixes.of(bytes('c0000202')));
  expect(prefixes.of(bytes('00000000000000000000ffffc0000201'))).toBe(prefixes.of(bytes('c0000201')));
});

it('an IPv6 address is known by its first 64 bits', () => {
  const prefixes = new AddressPrefixes();
  const home = prefixes.of(bytes('20010db8000000010000000000000001'));
  expect(prefixes.of(bytes('20010db80000000100000000deadbeef'))).toBe(home);
  expect(prefixes.of(bytes('20010db8000000020000000000000001'))).not.toBe(home);
});

it('another process knows an address by another name, and no name tells the address', () => {
  const address = bytes('c0000201');
  const name = new AddressPrefixes().of(address);
  expect(new AddressPrefixes().of(address)).not.toBe(name);
  expect(name).not.toMatch(/192|c0000201/);
});

it('a socket without an address has the prefix of those who are not known', () => {
  expect(new AddressPrefixes().of(new ArrayBuffer(0))).toBe(UNKNOWN);
});
