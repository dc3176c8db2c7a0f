/** What a browser's Origin header can hold for a page of the web or of an app's own scheme: scheme, host, port (RFC 6454, section 6.2). */
const ORIGIN = /^([a-z][a-z\d+.-]*):\/\/[^\s/\\?#@*]+\/?$/i;
/** Schemes whose default port a browser leaves out; what others have is kept. */
const WEB = ['http:', 'https:'];
/** Schemes that no page has. */
const NO_PAGES = ['ws', 'wss', 'file', 'ftp'];

/** An origin as a browser sends it: lower case, no slash behind, no default port. Undefined for what no browser ever sends. */
export function originOf(text: string): string | undefined {
  const scheme = ORIGIN.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined || NO_PAGES.includes(scheme)) return undefined;
  const url = parsed(text);
  if (url === undefined) return undefined;
  return WEB.includes(url.protocol) ? url.origin : `${url.protocol}//${url.host.toLowerCase()}`;
}

/** What to write in place of an origin that cannot match. */
export function originMessage({ input }: { readonly input: string }): string {
  if (input.includes('*')) return 'must be one origin: there are no wildcards, list each';
  const url = parsed(input);
  const meant = url !== undefined && WEB.includes(url.protocol) ? url.origin : undefined;
  return meant === undefined
    ? 'must be an origin as browsers send it, such as https://app.example'
    : `must be an origin and nothing behind it: ${meant}`;
}

function parsed(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}
