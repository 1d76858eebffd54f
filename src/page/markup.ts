/** Pieces of HTML that several parts of a page have in common. */
import { count, escapeHtml } from "../report/format.ts";

/** Different values, each where it first stands. */
export const unique = <A>(as: readonly A[]): readonly A[] => [...new Set(as)];

/** What is wider than a narrow page scrolls by itself, with the keyboard too. */
export const scrolling = (label: string, html: string): string =>
  `<div class="scroll" tabindex="0" role="region" aria-label="${escapeHtml(label)}">${html}</div>`;

/** What is shown when somebody asks for it. The heading is HTML. */
export const folded = (heading: string, html: string, open = false): string => `<details${open ? " open" : ""}><summary>${heading}</summary>
${html}</details>`;

/** Rows of texts as a table, the heading first; each row begins with its name. */
export const plainTable = (className: string, [head, ...rows]: readonly (readonly string[])[]): string => {
  const line = ([name, ...cells]: readonly string[]): string =>
    `<tr><th scope="row">${breakable(name)}</th>${cells.map((cell) => `<td>${escapeHtml(cell)}</td>`).join("")}</tr>`;
  return `<table class="${className}"><thead><tr>${head.map((cell) => `<th scope="col">${escapeHtml(cell)}</th>`).join("")}</tr></thead>
<tbody>${rows.map(line).join("\n")}</tbody></table>`;
};

/** A name that may break after its separators and before its numbers. */
export const breakable = (name: string): string =>
  name
    .split(/(?<=[_\-/.])|(?<=\p{L})(?=\d)/u)
    .map(escapeHtml)
    .join("<wbr>");

/** A count with its noun: `1 class`, `12 classes`. */
export const counted = (n: number, one: string, many = `${one}s`): string => `${count(n)} ${n === 1 ? one : many}`;

/** Bytes as a `data:` URI. */
export const dataUri = (mime: string, bytes: Uint8Array): string => {
  const chunk = 0x8000;
  let text = "";
  for (let at = 0; at < bytes.length; at += chunk) text += String.fromCharCode(...bytes.subarray(at, at + chunk));
  return `data:${mime};base64,${btoa(text)}`;
};
