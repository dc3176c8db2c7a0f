/** A new element with a class and children; texts are only ever text. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  className: string,
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  made.className = className;
  made.append(...children);
  return made;
}

/** A text for screen readers alone. */
export function unseen(text: string): HTMLElement {
  return element('span', 'unseen', text);
}

/** The element of `root` that is marked `data-part="name"`, of the given class. */
export function part<T extends HTMLElement>(root: ParentNode, name: string, type: new () => T): T {
  const found = root.querySelector(`[data-part="${name}"]`);
  if (found instanceof type) return found;
  throw new TypeError(`the page has no ${name}`);
}

/** Lets a button be pressed or not. One that may not keeps the keyboard's focus, which `disabled` would take away. */
export function setEnabled(button: HTMLButtonElement, isEnabled: boolean): void {
  button.ariaDisabled = String(!isEnabled);
}

/** Calls `act` when a button is pressed that may be. */
export function onPress(button: HTMLButtonElement, act: () => void): void {
  button.addEventListener('click', () => {
    if (button.ariaDisabled !== 'true') act();
  });
}

/** The time of day, with milliseconds where `isExact`. */
export function clockTime(isExact: boolean): string {
  const now = new Date();
  const time = [now.getHours(), now.getMinutes(), now.getSeconds()].map((n) => String(n).padStart(2, '0'));
  return isExact ? `${time.join(':')}.${String(now.getMilliseconds()).padStart(3, '0')}` : time.slice(0, 2).join(':');
}
