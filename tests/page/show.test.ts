/** What `show` shows: texts in a terminal, MIME bundles in a notebook. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { bundleOf, display, displayMatrices } from "../../src/page/display.ts";
import { showOn } from "../../src/page/show.ts";
import { output } from "../../src/platform/node/output.ts";
import type { MimeBundle } from "../../src/platform/platform.ts";
import { textTable } from "../../src/report/table.ts";
import { learned, still } from "../report/fixture.ts";
import { answered } from "./reports.ts";

const run = learned(1, 0);

test("in a terminal: the table of all runs as wide as the terminal, where the first of them stands; what else there is as text", async () => {
  const texts: string[] = [];
  const output = { columns: 60, text: (text: string) => async () => void texts.push(text) };
  const matrices = displayMatrices([run]);
  await showOn({ output })("before", still, matrices, run, "behind");
  assert.equal(texts, ["before", textTable([still, run], 60), bundleOf(matrices)["text/plain"], "behind"]);
});

test("in a notebook: the whole report of all runs, and everything else in its richest form", async () => {
  const shown: (MimeBundle | string)[] = [];
  const output = {
    text: (text: string) => async () => void shown.push(text),
    bundle: (bundle: MimeBundle) => async () => void shown.push(bundle),
  };
  const report = answered();
  await showOn({ output })("text", displayMatrices([run]), report);
  assert.equal(shown, ["text", bundleOf(displayMatrices([run])), bundleOf(display([report]))]);
});

test("a program that is no cell of a notebook has no bundles", () => {
  assert.is(output().bundle, undefined);
});

test.run();
