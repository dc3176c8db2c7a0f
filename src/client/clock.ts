/** Milliseconds that pass evenly, whatever the wall clock is set to: for durations only. */
export function nowMs(): number {
  return globalThis.performance?.now() ?? Date.now();
}
