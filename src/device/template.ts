/**
 * Specialises the text of a kernel: `{{NAME}}` becomes its value, and lines between `//#if NAME` (or `//#if !NAME`), `//#else` and
 * `//#end` stay or go. A missing name counts as false; nothing else is interpreted.
 */

/** Values that change a kernel's text, as opposed to its `Dims`. */
export type Constants = Readonly<Record<string, string | number | boolean>>;

/** The text of a kernel with its constants filled in. Throws on an unbalanced directive or an unknown `{{NAME}}`: a defect of the kernel. */
export const specialise = (text: string, constants: Constants): string => {
  const keep: boolean[] = [];
  const lines = text.split("\n").filter((line) => {
    const directive = /^\s*\/\/#(if|else|end)\b\s*(!?)(\w*)/.exec(line);
    if (directive === null) return keep.every(Boolean);
    const [, word, not, name] = directive;
    if (word === "if") keep.push(Boolean(constants[name]) !== (not === "!"));
    else if (keep.length === 0) throw new Error(`//#${word} without //#if`);
    else if (word === "else") keep.push(!keep.pop());
    else keep.pop();
    return false;
  });
  if (keep.length > 0) throw new Error("//#if without //#end");
  return lines.join("\n").replace(/\{\{(\w+)\}\}/g, (_, name: string) => {
    if (!(name in constants)) throw new Error(`no value for {{${name}}}`);
    return String(constants[name]);
  });
};
