/**
 * What inputs cost, in units. One unit is what a small frame costs the loop: 2 to 3 µs where this was measured (one core of a small
 * virtual machine). Everything a connection sends is charged here and nowhere else, to its own rate and to its tenant's part of a turn.
 */
export const COST = {
  /** Any frame that is read, answered or refused. */
  frame: 1,
  /** ATTACH: grants are looked up, a channel may come to life, a native subscription is made: 8 to 15 µs. */
  attach: 5,
  /** A pattern that reaches a channel: NAMED is sent, a native subscription is made; or the reverse: 4 to 6 µs. */
  reach: 2,
  /** An HTTP request: 40 to 100 µs. */
  request: 20,
  /** RENEW: a signature is checked: 40 to 100 µs. */
  renew: 30,
  /** One WebSocket message handed to one subscriber: a copy and, in the end, a system call of 5 to 7 µs. */
  delivery: 2,
} as const;

/** How many channels a pattern reaches for one unit of the connection's rate; the tenant's part of a turn is charged in full. */
export const CHANNELS_PER_UNIT = 4;

/** How many attachments are looked at again, as after a RENEW, for one unit. */
export const ATTACHMENTS_PER_UNIT = 5;

/** One tenant's part of a turn, about 5 ms; what is over waits for later turns, so that other tenants are served in between. */
export const TURN_UNITS = 2000;

/** WebSocket pings and unasked pongs that one connection may send per second, with a burst of twice that. */
export const CONTROLS_PER_SECOND = 20;
