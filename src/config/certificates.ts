import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { Problem } from '../errors.ts';

const CERT = 'listen.tls.certFile';
const KEY = 'listen.tls.keyFile';

const PEM_CERTIFICATE = /-----BEGIN ((?:X509 |TRUSTED )?CERTIFICATE)-----[^-]+-----END \1-----/g;
const BYTE_ORDER_MARKS = ['efbbbf', 'fffe', 'feff'];
/** The curves the server can sign with in a handshake. */
const CURVES = ['prime256v1', 'secp384r1', 'secp521r1'];
/** Curves and kinds the server can use and most browsers do not. */
const UNCOMMON = ['secp521r1', 'ed25519'];
/** The OID of a prime field, 1.2.840.10045.1.1: there when a curve is spelled out rather than named. */
const PRIME_FIELD = Buffer.of(0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x01, 0x01);
const MIN_RSA_BITS = 2048;

/** What is wrong with a certificate chain and its key, and what is only doubtful. Paths are those of the settings. */
export interface PairFindings {
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/** Looks at the bytes of a certificate file and a key file as the server will: what it would not take is a problem, what clients may not take a warning. */
export function inspectPair(cert: Uint8Array, key: Uint8Array, nowMs: number): PairFindings {
  const chain = readChain(cert);
  const privateKey = readKey(key);
  const problems: Problem[] = [];
  if (typeof chain === 'string') problems.push({ path: CERT, message: chain });
  if (typeof privateKey === 'string') problems.push({ path: KEY, message: privateKey });
  if (typeof chain === 'string') return { problems, warnings: [] };
  const unusable = whyUnusable(chain[0]);
  if (unusable !== undefined) problems.push({ path: CERT, message: unusable });
  if (typeof privateKey !== 'string' && !chain[0].checkPrivateKey(privateKey))
    problems.push({ path: KEY, message: whyNoPair(chain, privateKey) });
  return { problems, warnings: doubtsOf(chain, nowMs).map((message) => ({ path: CERT, message })) };
}

type Chain = readonly [X509Certificate, ...X509Certificate[]];

/** The certificates of a PEM file, the server's own first, or why there are none. */
function readChain(bytes: Uint8Array): Chain | string {
  if (hasByteOrderMark(bytes)) return MARKED;
  const blocks = Buffer.from(bytes).toString('latin1').match(PEM_CERTIFICATE) ?? [];
  const chain: X509Certificate[] = [];
  for (const block of blocks) {
    try {
      chain.push(new X509Certificate(block));
    } catch {
      return `holds a certificate that cannot be read: number ${chain.length + 1}`;
    }
  }
  const [first, ...rest] = chain;
  return first === undefined ? 'holds no certificate in PEM (-----BEGIN CERTIFICATE-----)' : [first, ...rest];
}

/** The private key of a PEM file, or why there is none. */
function readKey(bytes: Uint8Array): KeyObject | string {
  if (hasByteOrderMark(bytes)) return MARKED;
  const text = Buffer.from(bytes).toString('latin1');
  if (/^Proc-Type: 4,ENCRYPTED|-----BEGIN ENCRYPTED /m.test(text))
    return 'is encrypted, and there is nobody to ask for the passphrase: openssl pkey -in FILE -out FILE writes it without';
  try {
    return createPrivateKey(text);
  } catch {
    return 'holds no private key in PEM (-----BEGIN PRIVATE KEY-----)';
  }
}

const MARKED = 'begins with a byte order mark, which the server does not take: save it as ASCII';

function hasByteOrderMark(bytes: Uint8Array): boolean {
  const start = Buffer.from(bytes.subarray(0, 3)).toString('hex');
  return BYTE_ORDER_MARKS.some((mark) => start.startsWith(mark));
}

/** Why the server could not speak TLS with this certificate, if so: tried with its BoringSSL. */
function whyUnusable({ publicKey, raw }: X509Certificate): string | undefined {
  const { asymmetricKeyType: kind, asymmetricKeyDetails: details } = publicKey;
  if (kind === 'rsa' || kind === 'ed25519') return undefined;
  if (kind !== 'ec') return `has a key of the kind ${kind}, which the server does not take: use P-256 or RSA`;
  if (raw.includes(PRIME_FIELD))
    return 'spells out its curve, which the server does not take: use a named curve, P-256';
  const curve = details?.namedCurve ?? 'unknown';
  return CURVES.includes(curve) ? undefined : `has a key on ${curve}, which the server does not take: use P-256 or RSA`;
}

function whyNoPair(chain: Chain, key: KeyObject): string {
  const other = chain.findIndex((certificate) => certificate.checkPrivateKey(key));
  if (other > 0) return `belongs to certificate ${other + 1} of certFile: put the server's own first`;
  return 'does not belong to the certificate';
}

/** What a client may stumble over, or will. */
function doubtsOf(chain: Chain, nowMs: number): string[] {
  const [leaf, ...rest] = chain;
  const doubts = chain.flatMap((certificate, i) => datesOf(certificate, i === 0 ? '' : `certificate ${i + 1} `, nowMs));
  const { asymmetricKeyType: kind = '', asymmetricKeyDetails: details } = leaf.publicKey;
  if (UNCOMMON.includes(details?.namedCurve ?? kind)) doubts.push('has a key of a kind that most browsers do not take');
  if ((details?.modulusLength ?? MIN_RSA_BITS) < MIN_RSA_BITS)
    doubts.push('has an RSA key that clients find too short');
  if (leaf.subjectAltName === undefined) doubts.push('names no host (subjectAltName), so that no client will trust it');
  if (rest.length === 0 && leaf.issuer !== leaf.subject)
    doubts.push('comes without the certificate of its issuer: clients that do not have that one will not trust it');
  const gap = chain.findIndex((certificate, i) => {
    const issuer = chain[i + 1];
    return issuer !== undefined && !certificate.checkIssued(issuer);
  });
  if (gap >= 0) doubts.push(`certificate ${gap + 2} did not issue certificate ${gap + 1}: clients expect that order`);
  return doubts;
}

function datesOf({ validFrom, validTo }: X509Certificate, which: string, nowMs: number): string[] {
  if (Date.parse(validTo) <= nowMs) return [`${which}has expired (${validTo})`];
  return Date.parse(validFrom) > nowMs ? [`${which}is not valid yet (${validFrom})`] : [];
}
