/** Names of classes from the head of a dataset's README.md, where Hugging Face's programs write what the columns of its files are. */

const indentOf = (line: string): number => line.length - line.trimStart().length;

/** A value as YAML writes it, with or without quotes. */
const scalar = (text: string): string => {
  const [, quote, inside] = /^(['"])(.*)\1$/.exec(text.trim()) ?? [];
  if (quote === undefined) return text.trim();
  return quote === "'" ? inside.replaceAll("''", "'") : inside.replace(/\\(.)/g, "$1");
};

/** The lines below one: those that follow it and are indented further, as a list below a key need not be. */
const below = (lines: readonly string[], at: number): readonly string[] => {
  const indent = indentOf(lines[at]);
  const rest = lines.slice(at + 1);
  const end = rest.findIndex((line) => line.trim() !== "" && indentOf(line) <= indent);
  return end < 0 ? rest : rest.slice(0, end);
};

/** The lines of a list item that begins with `- KEY: VALUE`, or of what follows such a line. */
const itemOf = (lines: readonly string[], key: string, value: string): readonly string[] | undefined => {
  const at = lines.findIndex((line) => {
    const [, name, said] = /^\s*-\s+(\w+):\s*(.+)$/.exec(line) ?? [];
    return name === key && scalar(said) === value;
  });
  return at < 0 ? undefined : below(lines, at);
};

/** The names of a column's classes in the order of their numbers; undefined where a README does not say them. */
export const readmeClasses = (readme: string, column: string, config?: string): readonly string[] | undefined => {
  const [, head] = /^---\r?\n([\s\S]*?)\r?\n---/.exec(readme) ?? [];
  if (head === undefined) return undefined;
  const all = head.split(/\r?\n/);
  const lines = (config === undefined ? undefined : itemOf(all, "config_name", config)) ?? all;
  const item = itemOf(lines, "name", column);
  const at = item?.findIndex((line) => line.trim() === "names:") ?? -1;
  if (item === undefined || at < 0) return undefined;
  const names: string[] = [];
  for (const line of below(item, at)) {
    const [, number, name] = /^\s*['"]?(\d+)['"]?:\s*(.*)$/.exec(line) ?? [];
    if (number !== undefined) names[Number(number)] = scalar(name);
  }
  return names.length > 0 && Object.keys(names).length === names.length ? names : undefined;
};
