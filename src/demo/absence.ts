/** What came of a time without connection. */
export interface Absence {
  readonly awayMs: number;
  /** The SDK's loss: undefined when it told none, null when nobody can know. */
  readonly lost: number | null | undefined;
  readonly isSameRelay: boolean;
}

/** Says what was missed, as exactly as it is known. */
export function describeAbsence({ awayMs, lost, isSameRelay }: Absence): string {
  const back = `Back after ${(awayMs / 1000).toFixed(1)} s.`;
  if (lost === null) {
    const why = isSameRelay ? 'everybody had left, and the relay forgot the room' : 'the relay restarted';
    return `${back} Missed an unknown number of messages: ${why}.`;
  }
  if (lost === undefined) return `${back} Missed exactly 0 messages.`;
  return `${back} Missed exactly ${lost} ${lost === 1 ? 'message' : 'messages'}, presence signals included. Nobody kept them.`;
}
