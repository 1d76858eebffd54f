/** What holds of every page, whatever the runs were. */
import fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  display,
  displayCurves,
  displayMatrices,
  displayRanks,
  displayReplies,
  displayTable,
  type Displayable,
  type MimeBundle,
} from "../../src/page/display.ts";
import { htmlReport } from "../../src/page/html.ts";
import { openTags } from "../report/fixture.ts";
import { reports, savedIn } from "./reports.ts";

const bundle = (shown: Displayable): MimeBundle => (shown as unknown as Record<symbol, () => MimeBundle>)[Symbol.for("Jupyter.display")]();

const notValues = /undefined|null|NaN|Infinity|\[object/;

test("a page is well formed, stands alone, and never says what is no value; nor do the files in it", () => {
  fc.assert(
    fc.property(reports, (runs) => {
      const html = htmlReport(runs);
      assert.equal(openTags(html), []);
      assert.not.match(html, /<script|<link|<iframe|@import|url\(|javascript:|\bhttps?:/);
      const saved = savedIn(html);
      assert.ok(saved.length >= 3);
      for (const words of [html.replace(/base64,[^"]*/g, ""), ...saved]) assert.not.match(words, notValues);
    }),
    { numRuns: 60 },
  );
});

test("so is what a notebook shows", () => {
  fc.assert(
    fc.property(reports, (runs) => {
      for (const shows of [display, displayTable, displayMatrices, displayCurves, displayRanks, displayReplies]) {
        const { "text/html": html, "text/plain": text } = bundle(shows(runs));
        assert.equal(openTags(html), []);
        assert.not.match(html.replace(/base64,[^"]*/g, ""), notValues);
        assert.not.match(text, notValues);
      }
    }),
    { numRuns: 25 },
  );
});

test("bars and cells stay within their scales", () => {
  fc.assert(
    fc.property(reports, (runs) => {
      const html = htmlReport(runs);
      for (const [, width] of html.matchAll(/width:([\d.]+)%/g)) assert.ok(Number(width) <= 100.05, width);
      for (const [, left] of html.matchAll(/left:([\d.]+)%/g)) assert.ok(Number(left) <= 100.05, left);
    }),
    { numRuns: 25 },
  );
});

test.run();
