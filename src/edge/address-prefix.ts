import { createHmac, randomBytes } from 'node:crypto';

/** What an address is known by here: a hash that means nothing outside of this process, and cannot be turned back without its key. */
export type Prefix = string;

/** The prefix of those whose address is not known: all who come through a proxy that does not tell. */
export const UNKNOWN: Prefix = '';

const IPV6_NETWORK_BYTES = 8;
/** ::ffff:0:0/96 (RFC 4291, section 2.5.5.2). */
const MAPPED_IPV4 = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]);

/** Tells addresses apart without keeping any: IPv4 by all of it, IPv6 by its network of 64 bits, under a random key that lives in RAM. */
export class AddressPrefixes {
  readonly #key = randomBytes(32);

  /** The prefix of an address as uWebSockets.js gives it: 4 or 16 bytes, or none for a socket that is gone. */
  of(address: ArrayBuffer): Prefix {
    const bytes = Buffer.from(address);
    if (bytes.length === 0) return UNKNOWN;
    const isMapped = bytes.length === 16 && bytes.subarray(0, MAPPED_IPV4.length).equals(MAPPED_IPV4);
    const network = isMapped
      ? bytes.subarray(MAPPED_IPV4.length)
      : bytes.subarray(0, bytes.length === 16 ? IPV6_NETWORK_BYTES : bytes.length);
    return createHmac('sha256', this.#key).update(network).digest('base64').slice(0, 16);
  }
}
