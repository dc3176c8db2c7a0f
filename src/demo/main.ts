import { onPress, part, setEnabled } from './dom.ts';
import { freshInvitation, type Invitation, readInvitation, writeInvitation } from './invitation.ts';
import { twoNames } from './names.ts';
import { Pane } from './pane.ts';
import { describeRefusal } from './refusals.ts';
import { Session } from './session.ts';
import { Strip } from './strip.ts';
import type { Trace } from './transcript.ts';

const RELAY_URL = `${location.origin.replace(/^http/, 'ws')}/v1/ws`;

const notice = part(document, 'notice', HTMLElement);
const generation = part(document, 'generation', HTMLElement);
const refusedCount = part(document, 'refused', HTMLElement);
const rotate = part(document, 'rotate', HTMLButtonElement);
const strip = new Strip(part(document, 'sightings', HTMLElement));
const [leftName, rightName] = twoNames();
const panes = [new Pane('left', leftName, showTrace), new Pane('right', rightName, showTrace)];
let session: Session | undefined;

for (const pane of panes) pane.onFocus(() => speak(pane));
onPress(rotate, () => {
  session?.rotate().then(
    (isBegun) => isBegun || say('The key cannot be changed while nobody here is online.'),
    () => say('The key could not be handed out. Try again.'),
  );
});
onPress(part(document, 'invite', HTMLButtonElement), () => {
  navigator.clipboard.writeText(location.href).then(
    () => say('The link is copied. Whoever has it can read this room.'),
    () => say('The link could not be copied: take it from the address bar.'),
  );
});
if (panes[0] !== undefined) speak(panes[0]);
let entering = enter(location.hash);
addEventListener('hashchange', () => {
  entering = entering.then(() => enter(location.hash)); // one after the other, however fast the address changes
});

/** Goes to the room that a fragment invites to, or to a new one. */
async function enter(fragment: string): Promise<void> {
  const read = readInvitation(fragment);
  const invitation = typeof read === 'string' ? freshInvitation() : read;
  session?.close();
  for (const { transcript } of panes) transcript.clear();
  refusedCount.textContent = '0';
  say(read === 'malformed' ? 'The key in this link could not be read, so this is a new room.' : '');
  keep(invitation);
  session = await Session.open(RELAY_URL, invitation, panes, strip, {
    onKey: (next) => (next === undefined ? setEnabled(rotate, false) : keep(next)),
    onRefused(reason) {
      refusedCount.textContent = String(Number(refusedCount.textContent) + 1);
      if (reason !== 'unknown_generation') return;
      say(describeRefusal(reason));
      setEnabled(rotate, false);
    },
  });
}

/** Puts an invitation into the address, where the next reload finds it, and browsers send it to nobody. */
function keep(invitation: Invitation): void {
  history.replaceState(null, '', writeInvitation(invitation));
  generation.textContent = String(invitation.generation);
  setEnabled(rotate, true);
}

function say(text: string): void {
  notice.textContent = text;
}

function speak(speaking: Pane): void {
  for (const pane of panes) pane.speak(pane === speaking);
}

function showTrace({ sender, seq }: Trace): void {
  if (!strip.show(sender, seq)) say('That message has scrolled out of what the relay sees.');
}
