import type { OpenRefusal } from '../client/index.ts';
import type { Invitation } from './invitation.ts';
import type { Pane } from './pane.ts';
import { Person } from './person.ts';
import { Room } from './room.ts';
import type { Strip } from './strip.ts';

/** What a session tells the page. */
export interface SessionEvents {
  /** The key changed, or a change of it began. */
  onKey(invitation: Invitation | undefined): void;
  /** A frame did not open. */
  onRefused(reason: OpenRefusal): void;
}

/** Two people in a room, from an invitation until the page goes to another. */
export class Session {
  readonly #room: Room;
  readonly #people: readonly Person[];

  private constructor(room: Room, people: readonly Person[]) {
    this.#room = room;
    this.#people = people;
  }

  /** Opens the room; the people join by themselves. */
  static async open(
    url: string,
    invitation: Invitation,
    panes: readonly Pane[],
    strip: Strip,
    events: SessionEvents,
  ): Promise<Session> {
    const tell = (line: string): void => {
      for (const { transcript } of panes) transcript.note(line);
    };
    const room = await Room.open(invitation, {
      prepared() {
        tell('A new key was handed out, under the old one. Everybody can open with it; the old one is still in use.');
        events.onKey(undefined);
      },
      rotated(next) {
        tell(`Key ${next.generation} is in use now. Messages still under way with the old one will open.`);
        events.onKey(next);
      },
    });
    const people = panes.map((pane) => new Person({ room, pane, strip, onRefused: events.onRefused }));
    for (const person of people) person.join(url);
    return new Session(room, people);
  }

  /** Starts a rotation; false when nobody here is connected, or one is going on. */
  async rotate(): Promise<boolean> {
    const person = this.#people.find(({ isConnected }) => isConnected);
    if (person === undefined || this.#room.isRotating) return false;
    await person.hand(this.#room.nextKey());
    return true;
  }

  close(): void {
    this.#room.close();
    for (const person of this.#people) person.leave();
  }
}
