import { isIP } from 'node:net';
import * as v from 'valibot';
import { OPERATIONS } from '../core/grants.ts';
import { originMessage, originOf } from './origins.ts';

const MIB = 1024 * 1024;
const MAX_TIMER_MS = 3_600_000;
const HOST_NAME = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/i;

/** People write an IPv6 address as it stands in a URL. */
function hostMessage({ input }: { readonly input: string }): string {
  const bare = /^\[(.*)\]$/.exec(input)?.[1] ?? '';
  return isIP(bare) === 6
    ? `must be written without brackets: ${bare}`
    : 'must be an IP address or a host name, and nothing else';
}

function integer(min: number, max: number, description: string) {
  const range = `must be an integer from ${min} to ${max}`;
  return v.pipe(
    v.number(range),
    v.integer(range),
    v.minValue(min, range),
    v.maxValue(max, range),
    v.description(description),
  );
}

const text = (description: string) =>
  v.pipe(v.string('must be a string'), v.nonEmpty('must not be empty'), v.description(description));
const host = (description: string) =>
  v.pipe(
    text(description),
    v.check((value) => isIP(value) !== 0 || HOST_NAME.test(value), hostMessage),
  );
const port = (description: string) => integer(0, 65_535, description);

const tls = v.strictObject({
  certFile: text('PEM file with the certificate chain, read at start and at SIGHUP'),
  keyFile: text('PEM file with its private key'),
});

const listen = v.strictObject({
  host: v.optional(host('address to listen on'), '127.0.0.1'),
  port: v.optional(port('port to listen on; 0 picks a free one'), 8443),
  tls: v.optional(tls),
  behindProxy: v.optional(
    v.pipe(
      v.boolean('must be true or false'),
      v.description('plain ws off loopback, for a proxy that speaks TLS to the world'),
    ),
    false,
  ),
  shared: v.optional(
    v.pipe(
      v.boolean('must be true or false'),
      v.description(
        'whether other relays may listen on the same ports, so that a successor can start before this one stops',
      ),
    ),
    false,
  ),
});

const admin = v.strictObject({
  host: v.optional(host('address of the admin listener: metrics and health'), '127.0.0.1'),
  port: v.optional(port('its port; 0 picks a free one'), 9464),
});

const key = v.strictObject({
  kid: text('the id tokens name in their header'),
  jwk: v.pipe(
    v.looseObject({ kty: v.string('must be a JWK (RFC 7517): kty is missing') }, 'must be a JWK (RFC 7517)'),
    v.description('public key, or a shared secret (kty "oct")'),
  ),
  grants: v.pipe(
    v.record(v.string(), v.string('must be letters out of "rwpa"'), 'must be a map of pattern to letters'),
    v.description('ceiling: the most a token signed by this key may do; pattern to letters out of "rwpa"'),
  ),
  ops: v.optional(
    v.pipe(
      v.array(v.picklist(OPERATIONS, `must be one of: ${OPERATIONS.join(', ')}`), 'must be a list'),
      v.description('authority operations a token signed by this key may carry'),
    ),
  ),
});

const tenantLimits = v.strictObject({
  connections: v.optional(integer(1, 10_000_000, 'open connections'), 100_000),
  connectionsPerUser: v.optional(integer(1, 10_000_000, 'open connections of one user, by the sub of tokens'), 1000),
  channels: v.optional(integer(1, 10_000_000, 'live channels'), 100_000),
  channelsPerUser: v.optional(integer(1, 10_000_000, 'live channels that one user brought to life'), 10_000),
  framesPerSecond: v.optional(
    integer(1, 1_000_000_000, 'frames published per second, by all connections together'),
    100_000,
  ),
  deliveriesPerSecond: v.optional(
    integer(1, 1_000_000_000, 'messages handed to connections per second, to all together'),
    200_000,
  ),
  backlogBytes: v.optional(integer(65_536, 2 ** 40, 'bytes that may wait for its connections to read'), 256 * MIB),
});

const tenant = v.strictObject({
  keys: v.pipe(v.array(key, 'must be a list of keys'), v.minLength(1, 'must have at least one key')),
  limits: v.optional(tenantLimits, {}),
});

const limits = v.strictObject({
  maxFrameBytes: v.optional(integer(256, 16 * MIB, 'bytes of one MESSAGE'), 65_536),
  maxBufferedBytes: v.optional(integer(65_536, 1024 * MIB, 'bytes that may wait for one connection to read'), MIB),
  slowConsumerTimeoutMs: v.optional(
    integer(100, MAX_TIMER_MS, 'time a byte may wait for a connection to read'),
    10_000,
  ),
  helloTimeoutMs: v.optional(integer(100, MAX_TIMER_MS, 'time from the upgrade to HELLO'), 10_000),
  pingIntervalMs: v.optional(
    integer(100, 100_000, 'time between two WebSocket pings of the relay to a connection'),
    25_000,
  ),
  drainDelayMs: v.optional(
    integer(0, MAX_TIMER_MS, 'time at a stop in which newcomers are refused, and nobody else is told yet'),
    1000,
  ),
  drainTimeoutMs: v.optional(
    integer(0, MAX_TIMER_MS, 'longest time over which connections are closed at a stop'),
    8000,
  ),
  maxAttachments: v.optional(integer(1, 1_000_000, 'attachments of one connection'), 1000),
  framesPerSecond: v.optional(integer(1, 1_000_000_000, 'frames one connection may send per second'), 5000),
  bytesPerSecond: v.optional(integer(1024, 1_000_000_000_000, 'bytes one connection may send per second'), 8 * MIB),
  maxTokenTtlSeconds: v.optional(integer(1, 31_536_000, 'longest life of a token'), 86_400),
  clockToleranceSeconds: v.optional(integer(0, 300, 'how far the clocks of those who sign tokens may be ahead'), 5),
  maxConnections: v.optional(integer(1, 10_000_000, 'open connections of the relay'), 100_000),
  maxUnauthenticated: v.optional(
    integer(16, 1_000_000, 'sockets without a token, of each kind: those that speak HTTP, WebSockets before HELLO'),
    4096,
  ),
  maxBacklogBytes: v.optional(integer(65_536, 2 ** 40, 'bytes that may wait for all connections to read'), 512 * MIB),
  maxMemoryBytes: v.optional(
    integer(64 * MIB, 2 ** 50, 'resident memory past which new connections are refused'),
    2048 * MIB,
  ),
});

const origin = v.pipe(
  text('an origin, such as https://app.example'),
  v.check((value) => originOf(value) !== undefined, originMessage),
  v.transform((value) => originOf(value) ?? value),
);

const TENANT_NAME = /^[!-~]{1,64}$/;

/** The configuration file. Source of the shipped JSON Schema and of the tables in docs/OPERATIONS.md. */
export const ConfigSchema = v.strictObject({
  $schema: v.optional(v.string()),
  listen: v.optional(listen, {}),
  admin: v.optional(admin, {}),
  tenants: v.record(
    v.pipe(v.string(), v.regex(TENANT_NAME, 'a tenant name is 1 to 64 printable ASCII characters')),
    tenant,
    'must be a map of tenant name to tenant',
  ),
  limits: v.optional(limits, {}),
  cors: v.optional(
    v.strictObject({
      origins: v.optional(v.array(origin, 'must be a list of origins'), []),
    }),
    {},
  ),
});

/** A complete, checked configuration with all defaults filled in. */
export type Config = v.InferOutput<typeof ConfigSchema>;

/** Parts of the schema, for the environment's overrides and for checks that go on where another part is wrong. */
export const SECTIONS = { listen, admin, limits, tls, key };
