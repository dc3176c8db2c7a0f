import type { Pattern } from '../protocol/channel.ts';
import { Mode } from '../protocol/frames.ts';
import type { Channel } from './channel.ts';
import type { Rules, VerifiedToken } from './grants.ts';
import type { Connection } from './ports.ts';
import { TokenBucket } from './rate-limit.ts';
import type { Tenant } from './tenant.ts';
import type { User } from './user.ts';

/** Limits of one connection: attachments, frames and bytes sent per second, bytes of one MESSAGE and of what may wait for it. */
export interface SessionLimits {
  readonly maxAttachments: number;
  readonly framesPerSecond: number;
  readonly bytesPerSecond: number;
  readonly maxFrameBytes: number;
  readonly maxBufferedBytes: number;
}

/** One connection's share in one channel. */
export interface Attachment {
  readonly channel: Channel;
  /** Modes asked for by name; 0 when only patterns reach the channel. */
  modes: number;
  /** How many of the session's patterns reach the channel. */
  patternCount: number;
  /** Own frames accepted since the latest ATTACHED or NAMED. */
  own: number;
}

/** One attached pattern. */
export interface PatternAttachment {
  readonly id: number;
  readonly text: string;
  readonly pattern: Pattern;
  readonly session: Session;
  /** It has reached the matching channels whose serial is below this; Infinity once it has reached them all. */
  upTo: number;
  isAttached: boolean;
}

/** Who opens a session: a connection with a token that its tenant admitted. */
export interface Opening {
  readonly connection: Connection;
  readonly tenant: Tenant;
  readonly user: User;
  readonly token: VerifiedToken;
  readonly rules: Rules;
}

/** What the relay knows of a connection after WELCOME. */
export class Session {
  readonly connection: Connection;
  readonly sender: number;
  readonly tenant: Tenant;
  readonly user: User;
  readonly attachments = new Map<number, Attachment>();
  readonly patterns = new Map<number, PatternAttachment>();
  readonly frameBucket: TokenBucket;
  readonly byteBucket: TokenBucket;
  token: VerifiedToken;
  rules: Rules;
  /** When EXPIRING is due, milliseconds since 1970; Infinity once it was sent. */
  noticeAtMs: number;
  /** Attachments by name and patterns, against maxAttachments. */
  attachmentCount = 0;
  isRenewing = false;
  /** A frame of it takes several turns: its later frames wait. */
  isBusy = false;
  /** Its connection is gone. */
  isClosed = false;
  /** Frames were skipped since the last HEAD. */
  isLossy = false;

  constructor(opening: Opening, sender: number, limits: SessionLimits, nowMs: number) {
    const { connection, tenant, user, token, rules } = opening;
    this.connection = connection;
    this.sender = sender;
    this.tenant = tenant;
    this.user = user;
    this.token = token;
    this.rules = rules;
    this.noticeAtMs = noticeTime(token, nowMs);
    this.frameBucket = new TokenBucket(limits.framesPerSecond);
    this.byteBucket = new TokenBucket(limits.bytesPerSecond);
  }

  /** Lives by another token's expiry from now on; its rules are another step. */
  setToken(token: VerifiedToken, nowMs: number): void {
    this.token = token;
    this.noticeAtMs = noticeTime(token, nowMs);
  }
}

/** Whether the frames of the attachment's channel go to its connection. */
export function isReceiving(attachment: Attachment): boolean {
  return (attachment.modes & Mode.SUBSCRIBE) !== 0 || attachment.patternCount > 0;
}

const EXPIRY_NOTICE_MS = 30_000;

function noticeTime(token: VerifiedToken, nowMs: number): number {
  return token.expiresAtMs - Math.min(EXPIRY_NOTICE_MS, (token.expiresAtMs - nowMs) / 2);
}
