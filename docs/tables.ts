/** The parts of README.md and docs/METHODS.md that follow from the code. They stand between markers; `npm run docs` writes them. */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { commands } from "../src/cli/commands.ts";
import { plain } from "../src/cli/help.ts";
import type { Declaration } from "../src/methods/declare.ts";
import { hasReadings, optionRows } from "../src/methods/describe.ts";
import { methods } from "../src/methods/table.ts";

const all = Object.values(methods);

/** A row of a Markdown table; what stands between words there is escaped. */
const row = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`.replaceAll("|  |", "| |");

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [row(head), `|${"---|".repeat(head.length)}`, ...rows.map(row)].join("\n");

const arxiv = (paper: string | undefined): string => (paper === undefined ? "" : `[${paper}](https://arxiv.org/abs/${paper})`);

/** The file in src/methods that declares a method. */
const fileOf = (name: string): string => {
  const files = readdirSync(join("src", "methods")).filter((file) => readFileSync(join("src", "methods", file), "utf8").includes(`name: "${name}"`));
  if (files.length !== 1) throw new Error(`${files.length} files of src/methods declare ${name}`);
  return files[0];
};

/** One row a method: what it is called, its paper, what it does, and where it is. */
export const methodTable = (): string =>
  table(
    ["`--method`", "paper", "what it does", "file"],
    all.map(({ declaration }) => {
      const { name, paper, does, needs, classesAlone } = declaration as Declaration;
      const file = fileOf(name);
      const has = `${needs === undefined ? "" : `; needs ${needs}`}${classesAlone === undefined ? "" : "; learns tasks of classes alone"}`;
      return [`\`${name}\``, arxiv(paper), does + has, `[${file}](src/methods/${file})`];
    }),
  );

/** The options of every method, with their defaults and what the paper and the code of its authors have otherwise. */
export const optionTables = (): string =>
  all
    .map((method) => {
      const { name, does, paper } = method.declaration;
      const rows = optionRows(method);
      const head = `**\`${name}\`**${paper === undefined ? "" : ` (${arxiv(paper)})`}: ${does}.`;
      if (rows.length === 0) return `${head} It has no options.`;
      const read = hasReadings(method.declaration);
      return `${head}\n\n${table(
        ["option", "default", "what it is", ...(read ? ["paper", "code"] : [])],
        rows.map(({ name: option, fallback, answered, meaning, readings }) => [
          `\`${option}\``,
          `\`${fallback}\`${answered === undefined ? "" : `; answered tasks \`${answered}\``}`,
          meaning,
          ...(read ? [readings?.paper ?? "", readings?.code ?? ""].map((value) => (value === "" ? "" : `\`${value}\``)) : []),
        ]),
      )}`;
    })
    .join("\n\n");

const block = (text: string): string => `\`\`\`text\n${text}\n\`\`\``;

/** One row a command, in the order of a day's work. */
const commandTable = (): string =>
  table(
    ["command", "what it is for"],
    commands.map(({ name, does }) => [`\`cambium ${name}\``, does]),
  );

/** What `cambium run` says of its flags. */
const runHelp = (): string => commands.flatMap(({ name, help }) => (name === "run" ? [block(help([], plain))] : []))[0];

/** What stands between the markers of each document, by the name of the marker. */
const parts: Readonly<Record<string, Readonly<Record<string, () => string>>>> = {
  "README.md": { methods: methodTable, commands: commandTable, flags: runHelp },
  "docs/METHODS.md": { options: optionTables },
};

/** The documents that have such parts. */
export const documents: readonly string[] = Object.keys(parts);

/** A document with its parts written anew. Throws where a marker is missing. */
export const rewritten = (document: string, text: string): string =>
  Object.entries(parts[document]).reduce((now, [name, write]) => {
    const [before, after] = [`<!-- ${name}: npm run docs writes this -->\n`, `\n<!-- end of ${name} -->`];
    const [start, end] = [now.indexOf(before), now.indexOf(after)];
    if (start < 0 || end < start) throw new Error(`${document} lacks the markers of ${name}`);
    return `${now.slice(0, start)}${before}\n${write()}\n${now.slice(end)}`;
  }, text);
