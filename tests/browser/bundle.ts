/** Bundles modules of this repository for a browser, as its build does, with what tests need beside. */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build, type Plugin } from "esbuild";

const { forBrowsers } = (await import(pathToFileURL(resolve(".ci/browser.mjs")).href)) as { readonly forBrowsers: Plugin };

/** What files of tests import that is not in a browser: uvu, which writes for a terminal, and `readFileSync`, by which they read fixtures. */
const standsIn: Readonly<Record<string, string>> = { uvu: "tests/browser/pages/uvu.ts", "node:fs": "tests/browser/pages/fs.ts" };

const standIns: Plugin = {
  name: "stand-ins",
  setup: ({ onResolve }) => onResolve({ filter: /^(uvu|node:fs)$/ }, ({ path }) => ({ path: resolve(standsIn[path]) })),
};

/** The text of a bundle of a module, whose path is from the root of this repository on; of a test file, one that has a function `run`. */
export const bundled = async (file: string): Promise<string> => {
  // Tests are imported for what they do, which package.json says of no module.
  const contents = `import "./${file}"; export { run } from "uvu";`;
  const tests = { stdin: { contents, resolveDir: "." }, ignoreAnnotations: true };
  const { outputFiles } = await build({
    ...(file.endsWith(".test.ts") ? tests : { entryPoints: [file] }),
    bundle: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    write: false,
    logLevel: "silent",
    plugins: [forBrowsers, standIns],
  });
  return outputFiles[0].text;
};
