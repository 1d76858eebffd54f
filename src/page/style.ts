/** The report's style sheet: everything is scoped to `.cambium`, so that a notebook around it keeps its own looks. */
import { heatLevels, lines } from "./palette.ts";
import type { Theme } from "./palette.ts";

const page: Readonly<Record<Theme, string>> = {
  light: "--paper:#fdfdfb;--ink:#1b2124;--soft:#566166;--rule:#d9ddd9;--faint:#eef1ee;--drop:#d9480f;--hole:#e3e6e3",
  dark: "--paper:#121618;--ink:#e8ecea;--soft:#a3afb0;--rule:#343c3f;--faint:#1c2225;--drop:#ff8c42;--hole:#2b3235",
};

const variables = (theme: Theme): string =>
  [
    `.cambium{color-scheme:${theme};${page[theme]}}`,
    ...heatLevels(theme).map((c, i) => `.cambium .v${i}{--c:${c.background};--i:${c.ink}}`),
    ...lines[theme].map((c, i) => `.cambium .m${i}{--c:${c}}`),
  ].join("\n");

const rules = `
.cambium{background:var(--paper);color:var(--ink);font:15px/1.55 system-ui,-apple-system,"Segoe UI","Helvetica Neue",Arial,sans-serif;
  font-variant-numeric:tabular-nums;-webkit-text-size-adjust:100%;text-rendering:optimizeLegibility}
.cambium main{max-width:1120px;margin:0 auto;padding:3rem 1.5rem 5rem}
.cambium h1{font-size:2rem;line-height:1.2;font-weight:650;letter-spacing:-.015em;margin:0 0 .35rem;text-wrap:balance}
.cambium h2{font-size:1.3rem;line-height:1.3;font-weight:650;letter-spacing:-.01em;margin:3.5rem 0 .5rem;
  padding-top:1rem;border-top:1px solid var(--rule)}
.cambium h3{font-size:1rem;font-weight:650;margin:2rem 0 .4rem}
.cambium p{margin:.4rem 0;max-width:70ch;color:var(--soft)}
.cambium p.lead{font-size:1.05rem}
.cambium dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1.2rem;margin:1.2rem 0 0}
.cambium dt{color:var(--soft)} .cambium dd{margin:0;overflow-wrap:anywhere}
.cambium a{color:inherit;text-decoration-color:var(--soft);text-underline-offset:.18em}
.cambium a:focus-visible,.cambium summary:focus-visible,.cambium .scroll:focus-visible{outline:2px solid var(--drop);outline-offset:2px}
.cambium code,.cambium pre{font:12.5px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
.cambium pre{white-space:pre-wrap;overflow-wrap:anywhere;background:var(--faint);padding:.8rem 1rem;margin:.5rem 0;border-radius:4px}
.cambium details{margin:.4rem 0;color:var(--soft)} .cambium summary{cursor:pointer}
.cambium .scroll{overflow-x:auto;margin:.6rem 0}
.cambium figure{margin:0}
.cambium table{border-collapse:separate;border-spacing:0;margin:0;background:none;font-size:14px;color:inherit}
.cambium th,.cambium td{padding:.35rem .7rem;text-align:right;font-weight:inherit;white-space:nowrap;border:0;background:none}
.cambium th:first-child,.cambium td:first-child{text-align:left}
.cambium .summary{width:100%}
.cambium .summary thead th{color:var(--soft);border-bottom:1px solid var(--ink);vertical-align:bottom}
.cambium .summary tbody th,.cambium .summary tbody td{border-bottom:1px solid var(--rule);padding-top:.5rem;padding-bottom:.5rem}
.cambium .summary tbody th{white-space:normal;min-width:9rem;max-width:22rem;overflow-wrap:anywhere}
.cambium .best{font-weight:700}
.cambium .sd{display:inline-block;min-width:3.1em;color:var(--soft);font-weight:400}
.cambium .heat{border-spacing:2px;font-size:13.5px}
.cambium .heat th{color:var(--soft);font-size:11.5px;line-height:1.25}
.cambium .matrix{table-layout:fixed;--first:10.5rem;--cell:4.5rem;width:calc(var(--first) + var(--n)*var(--cell))}
.cambium .heat tbody th{font-size:12px}
.cambium .matrix thead th:first-child{width:var(--first)}
.cambium .heat thead th{vertical-align:bottom;text-align:center;white-space:normal;overflow-wrap:anywhere;padding:.2rem .1rem .35rem}
.cambium .heat thead th:first-child{text-align:left}
.cambium .heat tbody th{max-width:13rem;overflow:hidden;text-overflow:ellipsis;padding:.2rem .6rem .2rem 0}
.cambium .heat td{position:relative;text-align:center;padding:.28rem .1rem .34rem;line-height:1.2}
.cambium .heat td[class^="v"],.cambium .key i{background:var(--c);color:var(--i)}
.cambium .heat td small{display:block;font-size:10.5px;line-height:1.2}
.cambium .heat td u{position:absolute;left:0;bottom:0;height:4px;background:var(--drop);box-shadow:0 0 0 1px var(--paper)}
.cambium .heat .diag{outline:2px solid var(--ink);box-shadow:inset 0 0 0 1px var(--paper)}
.cambium .heat .hole{background:repeating-linear-gradient(135deg,transparent 0 4px,var(--hole) 4px 5px);color:var(--soft)}
.cambium .heat .gap th,.cambium .heat .gap td{padding-top:.55rem}
.cambium .heat .zero td,.cambium .heat .zero th{border-bottom:6px solid var(--paper);background-clip:padding-box}
.cambium .heat tfoot td,.cambium .heat .mean{color:var(--ink);background:none}
.cambium .heat .mean{font-weight:650}
.cambium .heat tfoot td,.cambium .heat tfoot th{padding-top:.15rem;padding-bottom:.15rem}
.cambium .heat tfoot tr:first-child td,.cambium .heat tfoot tr:first-child th{padding-top:.6rem}
.cambium .heat tfoot th{text-align:left;padding-left:0}
.cambium .heat thead th:first-child{padding-left:0}
.cambium .dense{--cell:2.65rem} .cambium .dense td{font-size:11px;padding-left:0;padding-right:0} .cambium .dense thead th{font-size:10px}
@media(max-width:700px){.cambium .matrix{--first:6.5rem;--cell:3.5rem} .cambium main{padding:1.5rem 1rem 3rem}}
.cambium .key{display:flex;flex-wrap:wrap;align-items:center;gap:.35rem 1.6rem;font-size:12.5px;color:var(--soft);margin:.5rem 0}
.cambium .key>span{display:inline-flex;align-items:center;gap:.5rem}
.cambium .key .ramp{display:inline-flex} .cambium .key .ramp i{width:6px;height:13px}
.cambium .key .box{width:15px;height:13px;box-shadow:inset 0 0 0 2px var(--ink)}
.cambium .key .bar{width:22px;height:4px;background:var(--drop)}
.cambium .key svg{width:36px;height:12px}
.cambium .panels{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,var(--panel)),1fr));gap:1.4rem 1.2rem;margin:1rem 0}
.cambium figure h4{font-size:13px;line-height:1.3;font-weight:650;margin:0 0 .15rem;overflow-wrap:anywhere}
.cambium figure h4 span{color:var(--soft);font-weight:400}
.cambium svg{display:block;width:100%;height:auto;overflow:visible}
.cambium svg text{font-size:10.5px;fill:var(--soft)}
.cambium svg .grid{stroke:var(--rule);stroke-width:1}
.cambium svg .own{stroke:var(--soft);stroke-width:1;stroke-dasharray:2 3}
.cambium svg .line{fill:none;stroke:var(--c);stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
.cambium svg .dot{fill:var(--paper);stroke:var(--c);stroke-width:1.6}
.cambium .maps{display:flex;flex-wrap:wrap;gap:1rem 2rem;align-items:flex-start;margin:.6rem 0}
.cambium .maps figure{max-width:100%}
.cambium svg .cell rect{fill:var(--c,var(--hole))} .cambium svg .cell text{fill:var(--i,var(--soft))}
.cambium svg .cell .framed{stroke:var(--ink);stroke-width:2}
.cambium .base{--c:var(--soft)}
.cambium .towers{display:flex;flex-wrap:wrap;gap:1rem 3rem;align-items:flex-start}
.cambium .ranks{border-spacing:1px;font-size:10.5px}
.cambium .ranks caption{text-align:left;font-size:13px;font-weight:650;padding-bottom:.3rem}
.cambium .ranks td{min-width:2rem;padding:.05rem .1rem;line-height:1.35}
.cambium .ranks thead th{min-width:2rem;max-width:4rem;font-size:10.5px;padding:.1rem}
.cambium .ranks th,.cambium .ranks thead th{text-align:center}
.cambium .ranks tbody th{text-align:left;font-size:10.5px;line-height:1.35;padding:.05rem .5rem .05rem 0;max-width:11rem}
.cambium .ranks tbody th.layer{text-align:left;vertical-align:top;color:var(--ink);font-weight:650}
.cambium .ranks tbody+tbody tr:first-child>*{border-top:5px solid var(--paper);background-clip:padding-box}
.cambium footer{margin-top:4rem;font-size:13px;color:var(--soft)}
@media print{.cambium .scroll{overflow:visible}.cambium main{max-width:none;padding:0}
  .cambium .heat,.cambium .key{print-color-adjust:exact;-webkit-print-color-adjust:exact}
  .cambium section{break-inside:avoid}}
`;

/** The style sheet for both themes: light unless the reader's system asks for dark. */
export const styleSheet: string = `${variables("light")}\n@media (prefers-color-scheme: dark){\n${variables("dark")}\n}${rules}`;
