// A STAND-IN for the session check of your app, which these examples do not have: two sessions that never end.
const SESSIONS = new Map([
  ['demo-of-alice', 'alice'],
  ['demo-of-bob', 'bob'],
]);

/** The user whose session a Cookie header names. A user's id becomes a segment of channel names: it must hold no `.`, `*` or `>`. */
export function userOf(cookies: string | undefined): string | undefined {
  const session = /(?:^|; *)session=([^;]*)/.exec(cookies ?? '')?.[1];
  return session === undefined ? undefined : SESSIONS.get(session);
}
