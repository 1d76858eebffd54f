/** The page that README.md shows: two folders are picked, a model learns, and the table appears. */
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { png, temporaryFolder, write } from "../fixtures/datasets.ts";
import { writeTinyClip } from "../fixtures/tinyClip.ts";
import { browserTest, runTests } from "./check.ts";

const { dir, remove } = temporaryFolder("browser-readme");
const html = /^```html\n([\s\S]*?)^```$/m.exec(readFileSync("README.md", "utf8"))?.[1] ?? "";
writeFileSync(join(dir, "index.html"), `<!doctype html><link rel="icon" href="data:,">\n${html}`);
copyFileSync("dist/browser/cambium.min.js", join(dir, "cambium.min.js"));
await writeTinyClip(join(dir, "clip"));
for (const [c, name] of ["ant", "bee"].entries()) {
  for (let i = 0; i < 5; i++) write(join(dir, "pictures", name), { [`${i}.png`]: await png(240 - 120 * c, 20 * i, 16, 16) });
}

browserTest(
  "a page of one's own teaches a picked model a picked folder of pictures",
  async ({ page }) => {
    await page.locator("#model").setInputFiles(join(dir, "clip"));
    await page.locator("#data").setInputFiles(join(dir, "pictures"));
    await page.getByText("Learn").click();
    await page.waitForFunction(`/CoDyRA|\\.$/.test(document.getElementById("said").textContent)`, undefined, { timeout: 60_000 });
    const said = (await page.locator("#said").textContent()) ?? "";
    assert.match(said, /^Method .*Learned/m);
    assert.match(said, /^zero-shot/m);
    assert.match(said, /^CoDyRA .*\d/m);
  },
  { folder: dir },
);

test.after(remove);
runTests();
