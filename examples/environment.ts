// Where the relay is and where tokens come from, for the other examples. Without any of these variables: what `npm start` runs.
import { readFile } from 'node:fs/promises';

const { RELAY_URL, RELAY_CA, TOKEN, TOKEN_URL } = process.env;

/** The relay's address. */
export const relayUrl = RELAY_URL ?? 'ws://127.0.0.1:8080';

/** PEM certificate to trust instead of the system's, if any. */
export const ca = RELAY_CA === undefined ? undefined : await readFile(RELAY_CA, 'utf8');

/** Who this program is to the development relay. An app's own server knows by the session instead. */
const guest = crypto.randomUUID();

/** A token from the app's own server. Throws when it gives none. */
export async function freshToken(): Promise<string> {
  const response = await fetch(TOKEN_URL ?? 'http://127.0.0.1:8080/demo/token', { method: 'POST', body: guest });
  if (!response.ok) throw new Error(`no token: HTTP status ${response.status}`);
  return response.text();
}

/** The options of `connect`. */
export const options = { token: TOKEN ?? freshToken, ...(ca === undefined ? {} : { ca }) };
