/** How tables look: the comparison and its kin, and heat maps. */
export const tableRules = `
.cambium table{border-collapse:separate;border-spacing:0;margin:0;background:none;font-size:14px;color:inherit}
.cambium th,.cambium td{padding:.35rem .6rem;text-align:right;font-weight:inherit;white-space:nowrap;border:0;background:none}
.cambium th:first-child,.cambium td:first-child{text-align:left}
.cambium .summary thead th{color:var(--soft);border-bottom:1px solid var(--ink);vertical-align:bottom;font-size:13px;line-height:1.3}
.cambium .summary tbody th,.cambium .summary tbody td{border-top:1px solid var(--rule);padding-top:.45rem;padding-bottom:.45rem;vertical-align:top}
.cambium .summary thead+tbody tr:first-child>*{border-top:0}
.cambium .summary tbody th{white-space:normal;overflow-wrap:anywhere;font-weight:500}
.cambium .summary .quiet{color:var(--soft)} .cambium .summary .quiet th{font-weight:inherit}
.cambium .summary .among{text-align:left;color:var(--soft);font-size:13px}
.cambium .summary td small{display:block;font-size:11.5px;line-height:1.25;font-weight:400;color:var(--soft)}
.cambium .best{font-weight:700}
.cambium .wide td small{display:inline-block;min-width:2.7em;margin-left:.3em;text-align:left}
.cambium .wide{width:100%} .cambium .wide tbody th{min-width:9rem;max-width:17rem}
.cambium .summary th:first-child,.cambium .summary tbody th{padding-left:0}
.cambium .wide tbody tr+tr>td{border-top:0;padding-top:0}
.cambium .wide tbody tr:not(:last-child)>td{padding-bottom:.15rem}
.cambium .parts{display:none;flex-wrap:wrap;gap:0 2.5rem} .cambium .parts>div{flex:1 1 20rem;max-width:26rem;min-width:0}
.cambium .narrow{width:100%;table-layout:fixed;margin:0 0 1.6rem}
.cambium .narrow th,.cambium .narrow td{padding-left:0;padding-right:.1rem}
.cambium .narrow thead th{white-space:normal;padding-left:.4rem} .cambium .narrow thead th:first-child{padding-left:0}
.cambium .narrow td:not(.among){text-align:right} .cambium .narrow thead th:not(.among){text-align:right}
.cambium .narrow tbody th{border-top:1px solid var(--rule);padding-bottom:0}
.cambium .narrow tbody td{border-top:0;padding-top:.1rem;padding-bottom:.2rem}
.cambium .narrow tbody tr:last-child td{padding-bottom:.45rem}
.cambium .narrow .among{width:5.2rem;font-size:12px;white-space:normal}
.cambium .tasks{min-width:min(100%,32rem)} .cambium .tasks tbody th{min-width:6rem;overflow-wrap:break-word}
@container cambium (max-width:1150px){.cambium .wide td small{display:block;margin:0;text-align:right}}
@container cambium (max-width:960px){.cambium .wide,.cambium .wide thead th{font-size:13px}
  .cambium .wide th,.cambium .wide td{padding-left:.3rem;padding-right:.3rem} .cambium .wide thead th{white-space:normal}
  .cambium .wide tbody th{min-width:7rem}}
@container cambium (max-width:860px){.cambium .wide{display:none} .cambium .parts{display:flex}
  .cambium .tasks th,.cambium .tasks td{padding-left:.35rem;padding-right:.35rem;white-space:normal} .cambium .tasks th:first-child{padding-left:0}}
.cambium .replies th,.cambium .replies td{white-space:pre-wrap;overflow-wrap:anywhere;text-align:left;max-width:22rem}
.cambium .replies img{display:block;max-width:96px;margin-bottom:.3rem}
.cambium .heat{border-spacing:2px;font-size:13.5px}
.cambium .heat th{color:var(--soft);font-size:11.5px;line-height:1.25}
.cambium .matrix{table-layout:fixed;--first:7rem;--cell:clamp(2.9rem,calc((34.2rem - var(--first))/var(--n)),4.1rem);
  width:calc(var(--first) + var(--n)*var(--cell))}
@container cambium (min-width:701px){.cambium .side>div:only-child .matrix{--cell:clamp(2.9rem,calc((70rem - var(--first))/var(--n)),4.1rem)}}
.cambium .heat tbody th{font-size:12px}
.cambium .matrix thead th:first-child{width:var(--first)}
.cambium .matrix th:first-child{position:sticky;left:0;z-index:1;background:var(--paper)}
.cambium .heat thead th{vertical-align:bottom;text-align:center;white-space:normal;overflow-wrap:anywhere;hyphens:auto;padding:.2rem .1rem .35rem}
.cambium .heat thead th:first-child{text-align:left}
.cambium .heat tbody th{max-width:13rem;overflow:hidden;text-overflow:ellipsis;padding:.2rem .6rem .2rem 0}
.cambium .heat td{position:relative;text-align:center;padding:.28rem .1rem .34rem;line-height:1.2}
.cambium .heat td[class^="v"],.cambium .key i{background:var(--c);color:var(--i)}
.cambium .heat td small{display:block;font-size:10.5px;line-height:1.2}
.cambium .heat td u{position:absolute;left:0;bottom:0;height:4px;background:var(--drop);box-shadow:0 0 0 1px var(--paper)}
.cambium .heat .diag{outline:2px solid var(--ink);box-shadow:inset 0 0 0 1px var(--paper)}
.cambium .heat .hole{background:repeating-linear-gradient(135deg,transparent 0 4px,var(--hole) 4px 5px);color:var(--soft)}
.cambium .heat .zero td,.cambium .heat .zero th{border-bottom:6px solid var(--paper);background-clip:padding-box}
.cambium .heat tfoot td,.cambium .heat .mean{color:var(--ink);background:none}
.cambium .heat .mean{font-weight:650}
.cambium .heat tfoot td,.cambium .heat tfoot th{padding-top:.15rem;padding-bottom:.15rem}
.cambium .heat tfoot tr:first-child td,.cambium .heat tfoot tr:first-child th{padding-top:.6rem}
.cambium .heat tfoot th{text-align:left;padding-left:0}
.cambium .heat thead th:first-child{padding-left:0}
.cambium .tall thead span{writing-mode:vertical-rl;transform:rotate(180deg);max-height:8rem;text-align:left}
.cambium .dense{--cell:2.65rem} .cambium .dense td{font-size:11px;padding-left:0;padding-right:0} .cambium .dense thead th{font-size:10px}
@container cambium (max-width:700px){.cambium .matrix{--first:4rem;--cell:2.6rem;font-size:12px} .cambium .matrix td small{font-size:9.5px}
  .cambium .tall thead span,.cambium .slim thead span{writing-mode:vertical-rl;transform:rotate(180deg);max-height:7rem;text-align:left;font-size:11px}
.cambium .matrix tbody th,.cambium .matrix tfoot th{font-size:11px}}
.cambium .classes{border-spacing:1px 2px;font-size:13px} .cambium .classes tbody th{white-space:normal;max-width:14rem}
.cambium .classes td{min-width:3.4rem;padding:.15rem .4rem} .cambium .classes thead th{padding:.2rem .4rem}
.cambium .classes .name{text-align:left;white-space:normal;padding-left:.8rem} .cambium .classes td.name small{display:inline;color:var(--soft)}
.cambium .towers{display:flex;flex-wrap:wrap;gap:1rem 3rem;align-items:flex-start}
.cambium .ranks{border-spacing:1px;font-size:10.5px}
.cambium .ranks caption{text-align:left;font-size:13px;font-weight:650;padding-bottom:.3rem}
.cambium .ranks td{min-width:2rem;padding:.05rem .1rem;line-height:1.35}
.cambium .ranks thead th{min-width:2rem;max-width:4rem;font-size:10.5px;padding:.1rem}
.cambium .ranks th,.cambium .ranks thead th{text-align:center}
.cambium .ranks tbody th{text-align:left;font-size:10.5px;line-height:1.35;padding:.05rem .5rem .05rem 0;max-width:11rem}
.cambium .ranks tbody th.layer{text-align:left;vertical-align:top;color:var(--ink);font-weight:650}
.cambium .ranks tbody+tbody tr:first-child>*{border-top:5px solid var(--paper);background-clip:padding-box}
`;
