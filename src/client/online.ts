/** Calls back when a browser says that the network is there again; the returned function stops that. Elsewhere it never does. */
export function onOnline(callback: () => void): () => void {
  const host = globalThis as Partial<EventTarget>;
  host.addEventListener?.('online', callback);
  return () => host.removeEventListener?.('online', callback);
}
