/** Calls back when the page's Content-Security-Policy forbids a URL: its socket does not say so. The returned function stops that. */
export function hearPolicy(url: string, onForbidden: () => void): () => void {
  const host = globalThis as Partial<EventTarget>;
  const listener = (event: unknown): void => {
    const { blockedURI, effectiveDirective } = event as Readonly<Record<string, string>>;
    if (effectiveDirective === 'connect-src' && url.startsWith(String(blockedURI))) onForbidden();
  };
  host.addEventListener?.('securitypolicyviolation', listener);
  return () => host.removeEventListener?.('securitypolicyviolation', listener);
}
