/** Bundles modules of this repository for a browser, as its build does, with what tests need beside. */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build, type Plugin } from "esbuild";

const { forBrowsers } = (await import(pathToFileURL(resolve(".ci/browser.mjs")).href)) as { readonly forBrowsers: Plugin };

/** Tests read fixtures by `readFileSync`; in a browser they get them from the server. */
const fixturesFromServer: Plugin = {
  name: "fixtures from the server",
  setup: ({ onResolve }) => onResolve({ filter: /^node:fs$/ }, () => ({ path: resolve("tests/browser/pages/fs.ts") })),
};

/** A module that runs the tests of a file when its `run` is called, and gives what uvu wrote. */
const runsTests = (file: string): string => `
  import { written } from "./tests/browser/pages/uvu.ts";
  import ${JSON.stringify(`./${file}`)};
  import { exec } from "uvu";
  export const run = () => written(exec);
`;

/** The text of a bundle of a module, whose path is from the root of this repository on; of a test file, one that has a function `run`. */
export const bundled = async (file: string): Promise<string> => {
  // Tests are imported for what they do, which package.json says of no module.
  const tests = { stdin: { contents: runsTests(file), resolveDir: "." }, ignoreAnnotations: true };
  const { outputFiles } = await build({
    ...(file.endsWith(".test.ts") ? tests : { entryPoints: [file] }),
    bundle: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    write: false,
    logLevel: "silent",
    plugins: [forBrowsers, fixturesFromServer],
  });
  return outputFiles[0].text;
};
