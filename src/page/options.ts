/** The options of a run, as a line. */
import { escapeHtml, missing } from "../report/format.ts";
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

const plain = (u: unknown): string => (typeof u === "number" && !Number.isFinite(u) ? missing : typeof u === "string" ? u : JSON.stringify(u));

/** An option and those within it, as `evaluate.templates`. */
const flat = (name: string, u: unknown): readonly Option[] => {
  if (u === null) return [{ name }];
  if (u === undefined) return [];
  if (Array.isArray(u) && u.every((x) => typeof x !== "object" || x === null)) {
    return [{ name, value: u.length === 0 ? "none" : u.map((x) => (x === null || x === undefined ? missing : plain(x))).join(", ") }];
  }
  if (typeof u !== "object") return [{ name, value: plain(u) }];
  return Object.entries(u).flatMap(([key, value]) => flat(`${name}.${key}`, value));
};

const line = (options: readonly Option[]): string =>
  options.map(({ name, value }) => `<span>${escapeHtml(name)} <em>${escapeHtml(value ?? "")}</em></span>`).join(" ");

/** The options of a run, and the names of those that were left open; many are shown on demand. */
export const optionLine = (options: Readonly<Record<string, unknown>>): string => {
  const all = Object.entries(options)
    .filter(([name]) => !elsewhere.has(name))
    .flatMap(([name, u]) => flat(name, u));
  const [set, open] = [all.filter(({ value }) => value !== undefined), all.filter(({ value }) => value === undefined)];
  const notSet = open.length === 0 ? "" : ` <span>not set: ${open.map(({ name }) => escapeHtml(name)).join(", ")}</span>`;
  if (all.length === 0) return "";
  const html = `<p class="options">${line(set)}${notSet}</p>`;
  return all.length > inTheOpen ? folded(`${all.length} options`, html) : html;
};
