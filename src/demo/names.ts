const NAMES =
  'Ada Ben Cleo Dara Emil Fay Gus Hana Ivo June Kofi Lena Milo Nora Otis Pia Rosa Sami Tess Uma Vito Wren Yara Zeno';

/** Two different names. */
export function twoNames(): [string, string] {
  const names = NAMES.split(' ');
  const draw = (): string => names.splice(Math.floor(Math.random() * names.length), 1)[0] ?? 'Ada';
  return [draw(), draw()];
}
