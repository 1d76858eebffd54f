/** What a reader of datasets leaves out: counted by kind, with the first of each kind as an example, and said in one line. */

/** What was left out of one kind. */
interface Kind {
  readonly one: string;
  readonly many: string;
  count: number;
  readonly example: string;
}

/** Something that is left out: its kind in the singular and in the plural, and where it stands. */
export type PassedOver = readonly [one: string, many: string, example: string];

/** Counts what is left out. */
export interface LeftOut {
  readonly add: (...passed: PassedOver) => void;
  /** All of it in words, without "left out" before them; undefined where nothing was left out. */
  readonly words: () => string | undefined;
}

/** A name from outside in a message: without control characters, and not longer than a line. */
export const printable = (name: string): string => {
  const shown = name.replace(/[\p{Cc}\u2028\u2029]/gu, "\ufffd");
  return shown.length > 80 ? `${shown.slice(0, 40)}\u2026${shown.slice(-39)}` : shown;
};

/** The first of some names, and how many more there are. */
export const someOf = (names: readonly string[], most = 5): string => {
  const shown = names.slice(0, most).map(printable).join(", ");
  return names.length > most ? `${shown} and ${names.length - most} more` : shown;
};

/** Counts what is left out, all that is given and what is added. */
export const leftOut = (passed: readonly PassedOver[] = []): LeftOut => {
  const kinds = new Map<string, Kind>();
  const add: LeftOut["add"] = (one, many, example) => {
    const kind = kinds.get(one);
    if (kind === undefined) kinds.set(one, { one, many, count: 1, example });
    else kind.count++;
  };
  for (const one of passed) add(...one);
  return {
    add,
    words: () =>
      kinds.size === 0
        ? undefined
        : [...kinds.values()]
            .map(({ one, many, count, example }) => (count === 1 ? `1 ${one} (${printable(example)})` : `${count} ${many} (such as ${printable(example)})`))
            .join(", "),
  };
};
