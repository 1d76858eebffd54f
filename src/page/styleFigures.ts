/** How charts, keys and pictures look. */
export const figureRules = `
.cambium .key{display:flex;flex-wrap:wrap;align-items:center;gap:.35rem 1.6rem;font-size:12.5px;color:var(--soft);margin:.5rem 0}
.cambium .key>span{display:inline-flex;align-items:center;gap:.5rem}
.cambium .key .ramp{display:inline-flex} .cambium .key .ramp i{width:6px;height:13px}
.cambium .key .box{width:15px;height:13px;box-shadow:inset 0 0 0 2px var(--ink)}
.cambium .key .bar{width:22px;height:4px;background:var(--drop)}
.cambium .panels{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,var(--panel)),1fr));gap:1.4rem 1.4rem;margin:1rem 0}
.cambium .panels h4{margin:0 0 .15rem}
.cambium svg{display:block;width:100%;height:auto;overflow:visible}
.cambium svg.sample{display:inline-block;flex:none;width:30px;height:10px;margin-right:.5rem;vertical-align:baseline}
.cambium .key .sample{margin-right:0}
.cambium svg text{font-size:10.5px;fill:var(--soft)}
.cambium svg .grid{stroke:var(--rule);stroke-width:1}
.cambium svg .own{stroke:var(--soft);stroke-width:1;stroke-dasharray:2 3}
.cambium svg .line{fill:none;stroke:var(--c);stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
.cambium svg .band{fill:var(--c);opacity:.13}
.cambium svg .dot{fill:var(--paper);stroke:var(--c);stroke-width:1.6}
.cambium .base{--c:var(--soft)}
.cambium .gains{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,27rem),1fr));gap:.6rem 3rem;margin:1rem 0 .4rem}
.cambium .gains h4{margin:.2rem 0 .5rem}
.cambium .bar{display:grid;grid-template-columns:minmax(7rem,11rem) 1fr 6.2rem;gap:.8rem;align-items:center;font-size:13.5px;line-height:1.25;margin:.3rem 0}
.cambium .bar>span:first-child{overflow-wrap:anywhere} .cambium .told{white-space:nowrap} .cambium .told small{color:var(--soft);font-size:12px}
.cambium .track{position:relative;height:1.05rem;background:var(--faint);border-radius:2px}
.cambium .track i,.cambium .track u{position:absolute;left:0;top:0;bottom:0;background:var(--c);border-radius:2px 0 0 2px}
.cambium .track u,.cambium .sampled.lost{opacity:.28;border-radius:0 2px 2px 0}
.cambium .track s{position:absolute;top:-.32rem;bottom:-.32rem;border-left:2px dotted var(--ink)}
.cambium .key .sampled{width:22px;height:10px;background:var(--soft)}
.cambium .maps{display:flex;flex-wrap:wrap;gap:1rem 2rem;align-items:flex-start;margin:.6rem 0}
.cambium .maps figure{max-width:100%} .cambium .maps h4{margin:0 0 .15rem}
.cambium svg .cell rect{fill:var(--c,var(--hole))} .cambium svg .cell text{fill:var(--i,var(--soft))}
.cambium svg .cell .framed{stroke:var(--ink);stroke-width:2}
.cambium .gallery>details{border-bottom:1px solid var(--rule);margin:0;padding:.35rem 0}
.cambium .gallery>details:last-child{border-bottom:0}
.cambium .gallery>details[open]{padding-bottom:1rem}
.cambium .gallery>details>summary strong{font-size:14.5px;font-weight:650;color:var(--ink);margin-right:.3rem}
.cambium .gallery>details>summary .key{display:inline-flex;margin:0 0 0 1rem;gap:.1rem 1rem;vertical-align:top}
.cambium .shots{display:grid;grid-template-columns:repeat(8,minmax(0,8.4rem));gap:.7rem .7rem;margin:.4rem 0}
.cambium .shots img{display:block;width:100%;max-width:96px;aspect-ratio:1;object-fit:contain;background:var(--faint);
  border-radius:3px;box-shadow:0 0 0 1px var(--rule)}
.cambium .shots figcaption{font-size:12px;line-height:1.3;margin-top:.25rem;overflow-wrap:anywhere}
.cambium .shots figcaption span{display:block;color:var(--told)}
.cambium .shots.bare{display:flex;flex-wrap:wrap;gap:.1rem 1.4rem} .cambium .shots.bare span{display:inline}
@container cambium (max-width:700px){.cambium .shots{grid-template-columns:repeat(4,minmax(0,1fr))}
  .cambium .bar{grid-template-columns:1fr auto;gap:.1rem .8rem;margin:.55rem 0} .cambium .track{grid-row:2;grid-column:1/3} .cambium .track s{top:0;bottom:0}
  .cambium .gallery>details>summary .key{display:flex;margin:.1rem 0 0 1rem}}
`;
