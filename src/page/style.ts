/** The report's style sheet: everything is scoped to `.cambium`, so that a notebook around it keeps its own looks. */
import { heatLevels, lines } from "./palette.ts";
import type { Theme } from "./palette.ts";
import { figureRules } from "./styleFigures.ts";
import { tableRules } from "./styleTables.ts";

const page: Readonly<Record<Theme, string>> = {
  light: "--paper:#fdfdfb;--ink:#1b2124;--soft:#566166;--rule:#d9ddd9;--faint:#eef1ee;--drop:#d9480f;--told:#b23a08;--hole:#e3e6e3",
  dark: "--paper:#121618;--ink:#e8ecea;--soft:#a3afb0;--rule:#343c3f;--faint:#1c2225;--drop:#ff8c42;--told:#ff9d5f;--hole:#2b3235",
};

const variables = (theme: Theme): string =>
  [
    `.cambium{color-scheme:${theme};${page[theme]}}`,
    ...heatLevels(theme).map((c, i) => `.cambium .v${i}{--c:${c.background};--i:${c.ink}}`),
    ...lines[theme].map((c, i) => `.cambium .m${i}{--c:${c}}`),
  ].join("\n");

/** Text, sections, and what opens on demand. Widths are those of the page or of the notebook's cell, not of the screen. */
const rules = `
.cambium{container:cambium/inline-size;background:var(--paper);color:var(--ink);
  font:15px/1.55 system-ui,-apple-system,"Segoe UI","Helvetica Neue",Arial,sans-serif;
  font-variant-numeric:tabular-nums;-webkit-text-size-adjust:100%;text-size-adjust:100%;text-rendering:optimizeLegibility}
.cambium main{max-width:1200px;margin:0 auto;padding:3rem 2rem 5rem}
.cambium h1{font-size:2rem;line-height:1.2;font-weight:650;letter-spacing:-.015em;margin:0 0 .35rem;text-wrap:balance}
.cambium h2{font-size:1.3rem;line-height:1.3;font-weight:650;letter-spacing:-.01em;margin:3.5rem 0 .4rem;padding-top:1.1rem;border-top:1px solid var(--rule)}
.cambium h3{font-size:1.05rem;line-height:1.35;font-weight:650;margin:2.6rem 0 .2rem;overflow-wrap:anywhere}
.cambium h4{font-size:13px;line-height:1.4;font-weight:650;margin:1rem 0 .3rem;overflow-wrap:anywhere}
.cambium h4 span{color:var(--soft);font-weight:400}
.cambium h3,.cambium h4,.cambium strong,.cambium th,.cambium td,.cambium dt,
.cambium dd,.cambium figcaption,.cambium figcaption span,.cambium .key span{unicode-bidi:isolate}
.cambium p{margin:.4rem 0;max-width:72ch;color:var(--soft)}
.cambium p.lead{font-size:1.05rem}
.cambium p.verdict{font-size:1.3rem;line-height:1.42;letter-spacing:-.005em;color:var(--ink);max-width:58ch;margin:1.8rem 0 1.6rem;text-wrap:pretty}
.cambium p.note{font-size:13px;margin:.25rem 0}
.cambium .facts{display:flex;flex-wrap:wrap;gap:.1rem 1.4rem;margin:.7rem 0 0;font-size:13px;line-height:1.5}
.cambium .facts div{min-width:0}
.cambium dt{color:var(--soft)} .cambium dd{margin:0;overflow-wrap:anywhere}
.cambium .facts dt,.cambium .facts dd{display:inline}
.cambium .glossary{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1.2rem;margin:.4rem 0;font-size:13px}
.cambium a{color:inherit;text-decoration-color:var(--soft);text-underline-offset:.18em}
.cambium a:focus-visible,.cambium summary:focus-visible,.cambium .scroll:focus-visible{outline:2px solid var(--drop);outline-offset:2px}
.cambium details{margin:.35rem 0} .cambium summary{cursor:pointer;color:var(--soft);font-size:13px;padding:.1rem 0}
.cambium .save{display:flex;flex-wrap:wrap;align-items:baseline;font-size:13px}
.cambium .save a{margin:.1rem .2rem .1rem 0;padding:.05rem .5rem;border:1px solid var(--rule);border-radius:4px;text-decoration:none;color:var(--soft)}
.cambium .save a:hover{color:var(--ink);border-color:var(--soft)}
.cambium .options{font-size:13px;line-height:1.7;max-width:none;overflow-wrap:anywhere}
.cambium .options span{margin-right:.9rem} .cambium .options em{font-style:normal;color:var(--ink)}
.cambium .scroll{overflow-x:auto;margin:.6rem 0}
.cambium .side{display:flex;flex-wrap:wrap;gap:0 1.6rem;align-items:flex-start} .cambium .side>div{min-width:0;max-width:100%}
.cambium figure{margin:0;min-width:0}
.cambium footer{margin-top:4rem;font-size:13px;color:var(--soft)}
@container cambium (max-width:700px){.cambium main{padding:1.5rem 1rem 3rem}
  .cambium h1{font-size:1.65rem} .cambium h2{margin-top:2.6rem}
  .cambium p.verdict{font-size:1.12rem;margin:1.2rem 0}}
@media print{.cambium .scroll{overflow:visible}.cambium main{max-width:none;padding:0}.cambium .save{display:none}
  .cambium .heat,.cambium .key{print-color-adjust:exact;-webkit-print-color-adjust:exact}
  .cambium figure{break-inside:avoid}}
`;

/** The style sheet for both themes: light unless the reader's system asks for dark. */
export const styleSheet: string = `${variables("light")}\n@media (prefers-color-scheme: dark){\n${variables("dark")}\n}${rules}${tableRules}${figureRules}`;
