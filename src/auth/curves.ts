/** The field and equation of Ed25519 (RFC 8032, section 5.1): −x² + y² = 1 + d·x²·y². */
const ED25519_PRIME = 2n ** 255n - 19n;
const ED25519_D = (-121_665n * power(121_666n, ED25519_PRIME - 2n, ED25519_PRIME)) % ED25519_PRIME;

/** The field and equation of P-256 (FIPS 186-4, D.1.2.3): y² = x³ − 3x + b. */
const P256_PRIME = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;
const P256_B = 0x5ac635d8_aa3a93e7_b3ebbd55_769886bc_651d06b0_cc53b0f6_3bce3c3e_27d2604bn;

const COORDINATE_BYTES = 32;

/** Why 32 bytes are no Ed25519 public key that a signature can be trusted under, if so: not a point, not the one encoding of it, or of low order. */
export function ed25519Weakness(bytes: Uint8Array): string | undefined {
  if (bytes.length !== COORDINATE_BYTES) return `must have an x of ${COORDINATE_BYTES} bytes`;
  const y = numberOf(bytes.toReversed()) & (2n ** 255n - 1n);
  if (y >= ED25519_PRIME)
    return 'must have an x that is written as RFC 8032 says: this one is over the prime of the field';
  const u = y * y - 1n;
  const v = ED25519_D * y * y + 1n;
  if (!isSquare(u * v, ED25519_PRIME)) return 'must be a point of the curve Ed25519: this x is none';
  const eightfold = doubled(doubled(doubled(y)));
  return eightfold === 1n ? 'must not be a point of low order: anybody could sign for it' : undefined;
}

/** Why two coordinates are no P-256 public key, if so. */
export function p256Weakness(xBytes: Uint8Array, yBytes: Uint8Array): string | undefined {
  if (xBytes.length !== COORDINATE_BYTES || yBytes.length !== COORDINATE_BYTES)
    return `must have an x and a y of ${COORDINATE_BYTES} bytes`;
  const [x, y] = [numberOf(xBytes), numberOf(yBytes)];
  const isPoint =
    x < P256_PRIME && y < P256_PRIME && positive(y * y - (x * x * x - 3n * x + P256_B), P256_PRIME) === 0n;
  return isPoint ? undefined : 'must be a point of the curve P-256: this x and y are none';
}

/** A number of big-endian bytes. */
export function numberOf(bytes: Uint8Array): bigint {
  return BigInt(`0x0${Buffer.from(bytes).toString('hex')}`);
}

/** The y of twice the point with this y (RFC 8032, section 5.1.4, in affine coordinates; x counts only by its square). */
function doubled(y: bigint): bigint {
  const yy = y * y;
  const xx = (yy - 1n) * inverse(ED25519_D * yy + 1n);
  return positive((yy + xx) * inverse(2n - yy + xx), ED25519_PRIME);
}

function inverse(value: bigint): bigint {
  return power(value, ED25519_PRIME - 2n, ED25519_PRIME);
}

/** Euler's criterion; 0 is a square. */
function isSquare(value: bigint, prime: bigint): boolean {
  return power(value, (prime - 1n) / 2n, prime) <= 1n;
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  let square = positive(base, modulus);
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % modulus;
    square = (square * square) % modulus;
  }
  return result;
}

function positive(value: bigint, modulus: bigint): bigint {
  const rest = value % modulus;
  return rest < 0n ? rest + modulus : rest;
}
