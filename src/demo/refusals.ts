import type { OpenRefusal } from '../client/index.ts';

/** Says why a frame was not shown. The frame's own bytes are never part of it. */
export function describeRefusal(reason: OpenRefusal): string {
  switch (reason) {
    case 'unknown_generation':
      return 'Your link has an old key: the others use a newer one. Ask them for a new link.';
    case 'expired_generation':
      return 'Someone here still uses an old key, and is not understood. Send them a new link.';
    case 'not_authentic':
      return 'A message was refused: it was sealed with another key than the one here, or changed on its way.';
    case 'not_encrypted':
      return 'A message was refused: it was not encrypted.';
    default:
      return `A message was refused: ${reason.replaceAll('_', ' ')}.`;
  }
}
