/**
 * Specialises the text of a kernel: `{{NAME}}` becomes its value, lines between `//#if NAME` (or `//#if !NAME`), `//#else` and
 * `//#end` stay or go, and lines between `//#for i COUNT` and `//#end` are repeated with `{{i}}` = 0 … COUNT − 1, because an array
 * stays in registers only where its indices are constants. A missing name counts as false; nothing else is interpreted.
 */

/** Values that change a kernel's text, as opposed to its `Dims`. */
export type Constants = Readonly<Record<string, string | number | boolean>>;

const fill = (line: string, values: Constants): string =>
  line.replace(/\{\{(\w+)\}\}/g, (_, name: string) => {
    if (!(name in values)) throw new Error(`no value for {{${name}}}`);
    return String(values[name]);
  });

/** The text of a kernel with its constants filled in. Throws on an unbalanced directive or an unknown `{{NAME}}`: a defect of the kernel. */
export const specialise = (text: string, constants: Constants): string => {
  const lines = text.split("\n");
  const out: string[] = [];
  // Reads a block from line `at`, writes what stays of it, and returns the line of the directive that ends it.
  const block = (at: number, values: Constants, live: boolean): number => {
    for (; at < lines.length; at++) {
      const [, word, not, name, count] = /^\s*\/\/#(if|for|else|end)\b\s*(!?)(\w*)\s*(\w*)/.exec(lines[at]) ?? [];
      if (word === "else" || word === "end") return at;
      if (word === "if") {
        const keep = Boolean(values[name]) !== (not === "!");
        at = block(at + 1, values, live && keep);
        if (/\/\/#else/.test(lines[at])) at = block(at + 1, values, live && !keep);
      } else if (word === "for") {
        const times = live ? Number(values[count] ?? count) : 0;
        const body = at + 1;
        at = block(body, { ...values, [name]: 0 }, times > 0);
        for (let i = 1; i < times; i++) block(body, { ...values, [name]: i }, true);
      } else if (live) out.push(fill(lines[at], values));
    }
    return at;
  };
  const open = lines.reduce((depth, line) => depth + (/^\s*\/\/#(if|for)\b/.test(line) ? 1 : /^\s*\/\/#end\b/.test(line) ? -1 : 0), 0);
  if (open > 0) throw new Error("//#if without //#end");
  const stop = block(0, constants, true);
  if (stop < lines.length) throw new Error(`${lines[stop].trim()} without //#if`);
  return out.join("\n");
};
