/** The rank that lives in each module after each task, as a heat map a tower. */
import { escapeHtml, fixed, missing } from "../report/format.ts";
import { folded, scrolling, unique } from "./markup.ts";
import { rampKey } from "./matrixTable.ts";
import { level } from "./palette.ts";
import { saveRows, type Value } from "./save.ts";
import { groupBy, type Summary } from "../report/summary.ts";

/** Where a module stands: its tower, its layer (`null` outside of the blocks), and its short name in the layer. */
export interface ModulePlace {
  readonly tower: string;
  readonly layer: number | null;
  readonly part: string;
}

/** Reads a Hugging Face or open_clip module name, as `vision_model.encoder.layers.3.self_attn.q_proj`. */
export const modulePlace = (name: string): ModulePlace => {
  const tower = /vision|visual|vit|image/.test(name) ? "Vision tower" : /text|token/.test(name) ? "Text tower" : "Modules";
  const inBlock = /(?:layers?|resblocks|blocks)\.(\d+)\.(.+)$/.exec(name);
  if (inBlock === null) return { tower, layer: null, part: name.replace(/\.weight$/, "") };
  const part = inBlock[2]
    .replace(/\.weight$/, "")
    .split(".")
    .slice(-1)[0]
    .replace(/_proj$/, "");
  return { tower, layer: Number(inBlock[1]), part };
};

interface Row {
  readonly name: string;
  readonly place: ModulePlace;
}

/** Whole ranks without decimals; means over seeds with one. */
export const rankText = (x: number | null): string => (x !== null && Number.isInteger(x) ? String(x) : fixed(1)(x));

/** The heat maps of the ranks of one summary; an empty string where its method has none. */
export const rankTable = (s: Summary, largest: number): string => {
  const names = unique(s.ranks.flatMap((ranks) => Object.keys(ranks)));
  if (names.length === 0) return "";
  const colour = level([0, largest]);
  const columns = s.ranks.map((_, i) => i).filter((i) => Object.keys(s.ranks[i]).length > 0);
  const heads = columns.map((i) => `<th scope="col" title="after task ${i + 1}, ${escapeHtml(s.datasets[i] ?? "")}">${i + 1}</th>`).join("");
  const line = (r: Row, index: number, size: number): string => {
    const layer = index > 0 ? "" : `<th class="layer" scope="rowgroup" rowspan="${size}">${r.place.layer ?? ""}</th>`;
    const cells = columns
      .map((i) => {
        const x = s.ranks[i][r.name] ?? null;
        const title = `${r.name} after task ${i + 1}: rank ${rankText(x)}`;
        return x === null ? `<td class="hole">${missing}</td>` : `<td class="v${colour(x)}" title="${escapeHtml(title)}">${rankText(x)}</td>`;
      })
      .join("");
    return `<tr>${layer}<th scope="row" title="${escapeHtml(r.name)}">${escapeHtml(r.place.part)}</th>${cells}</tr>`;
  };
  const rows = names.map((name): Row => ({ name, place: modulePlace(name) }));
  const tables = groupBy<Row>((r) => r.place.tower)(rows)
    .map((inTower) => {
      const bodies = groupBy<Row>((r) => `${r.place.layer}`)(inTower)
        .map((inLayer) => `<tbody>${inLayer.map((r, i) => line(r, i, inLayer.length)).join("\n")}</tbody>`)
        .join("\n");
      return `<table class="heat ranks"><caption>${inTower[0].place.tower}</caption>
<thead><tr><th scope="col">layer</th><th scope="col">part</th>${heads}</tr></thead>
${bodies}</table>`;
    })
    .join("\n");
  return scrolling(`Ranks of ${s.label}`, `<div class="towers">${tables}</div>`);
};

/** All ranks of a summary, each once. */
const ranksOf = (s: Summary): readonly number[] => unique(s.ranks.flatMap((ranks) => Object.values(ranks)));

/** The largest rank of some summaries. */
export const largestRank = (summaries: readonly Summary[]): number => Math.max(0, ...summaries.flatMap(ranksOf));

/** The ranks of a summary on demand, in a sentence where there is one rank only; an empty string where its method has none. */
export const rankPart = (s: Summary, largest: number): string => {
  const all = ranksOf(s);
  if (all.length === 0) return "";
  if (all.length === 1) return `<p>Every module has rank ${rankText(all[0])} after every task.</p>`;
  const heading = `Rank of each module after each task: ${fixed(1)(s.effectiveRank.mean)} in the mean`;
  return folded(heading, `<div class="key">${rampKey("0", rankText(largest))}</div>${rankTable(s, largest)}${saveRows(`${s.label} ranks`, rankRows(s))}`);
};

/** The ranks as rows, a module each, below a heading. */
const rankRows = (s: Summary): readonly (readonly Value[])[] => [
  ["module", ...s.datasets.slice(0, s.ranks.length).map((name) => `after ${name}`)],
  ...unique(s.ranks.flatMap((ranks) => Object.keys(ranks))).map((module) => [module, ...s.ranks.map((ranks) => ranks[module] ?? null)]),
];
