/** The options of a run, as a line. */
import { escapeHtml } from "../report/format.ts";
import { optionText } from "../report/optionText.ts";
import { folded } from "./markup.ts";

/** What stands elsewhere on the page. */
const elsewhere: ReadonlySet<string> = new Set(["method", "seed", "out"]);

/** How many options stand in the open. */
const inTheOpen = 14;

/** One option; without a value where it was left open. */
interface Option {
  readonly name: string;
  readonly value?: string;
}

/** An option, or the options within it, as `evaluate.templates`. */
const flat = (name: string, u: unknown): readonly Option[] => {
  if (u === undefined) return [];
  if (typeof u === "object" && u !== null && !Array.isArray(u)) return Object.entries(u).flatMap(([key, value]) => flat(`${name}.${key}`, value));
  return [{ name, value: optionText(u) }];
};

/** The options of a run, and the names of those that were left open; many are shown on demand. */
export const optionLine = (options: Readonly<Record<string, unknown>>): string => {
  const all = Object.entries(options)
    .filter(([name]) => !elsewhere.has(name))
    .flatMap(([name, u]) => flat(name, u));
  if (all.length === 0) return "";
  const set = all.flatMap(({ name, value }) => (value === undefined ? [] : [`<span>${escapeHtml(name)} <em>${escapeHtml(value)}</em></span>`]));
  const open = all.flatMap(({ name, value }) => (value === undefined ? [escapeHtml(name)] : []));
  const html = `<p class="options">${[...set, ...(open.length === 0 ? [] : [`<span>not set: ${open.join(", ")}</span>`])].join(" ")}</p>`;
  return all.length > inTheOpen ? folded(`${all.length} options`, html) : html;
};
