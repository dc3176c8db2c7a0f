// The page of serve.ts: rooms to talk in, one at a time, with useChannel.
import { ChannelKey } from 'mayfly/client';
import { type FormEvent, StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';
import type { RelaySource } from './connections.ts';
import { useChannel } from './use-channel.ts';

const ROOMS = ['room.1', 'room.2', 'room.3'];
const KEY_BYTES = 32;

const root = document.getElementById('root') as HTMLElement; // serve.ts puts it there
const relay: RelaySource = { url: root.dataset.relay ?? '', token };
const key = keyOfPage();

createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);

function App() {
  const [name, setName] = useState<string | undefined>(ROOMS[0]);
  return (
    <main>
      <nav>
        {ROOMS.map((room) => (
          <button key={room} type="button" disabled={room === name} onClick={() => setName(room)}>
            {room}
          </button>
        ))}
        <button type="button" disabled={name === undefined} onClick={() => setName(undefined)}>
          leave
        </button>
      </nav>
      {name === undefined ? null : <Room name={name} />}
    </main>
  );
}

function Room({ name }: { readonly name: string }) {
  const { status, messages, lossCount, refusedCount, error, publish } = useChannel(relay, name, key);
  const [failure, setFailure] = useState('');

  function say(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    const form = event.currentTarget;
    publish(String(new FormData(form).get('text'))).then(
      () => {
        form.reset();
        setFailure('');
      },
      (reason) => setFailure(String(reason)),
    );
  }

  return (
    <section>
      <p role="status">
        {name}: {status}, {lossCount ?? 'unknown'} lost, {refusedCount} refused{' '}
        {error === undefined ? '' : String(error)}
      </p>
      <ol>
        {messages.map(({ seq, text }) => (
          <li key={seq}>{text}</li>
        ))}
      </ol>
      <form onSubmit={say}>
        <input name="text" aria-label="message" autoComplete="off" required />
        <button type="submit">say</button>
        <output>{failure}</output>
      </form>
    </section>
  );
}

/** From the page's own server, which knows who is signed in. */
async function token(): Promise<string> {
  const response = await fetch('/mayfly-token', { method: 'POST' });
  if (!response.ok) throw new Error(`no token: HTTP status ${response.status}`);
  return response.text();
}

/** The key in the address behind `#`, which no browser sends to a server; made when there is none. Whoever gets the address can read along. */
function keyOfPage(): ChannelKey {
  const bytes = Uint8Array.from(atob(location.hash.slice(1)), (character) => character.charCodeAt(0));
  if (bytes.length === KEY_BYTES) return ChannelKey.fromBytes(bytes);
  const made = ChannelKey.random();
  location.hash = btoa(String.fromCharCode(...made.toBytes()));
  return made;
}
