// Writes the package for browsers into a folder: node .ci/bundles.mjs FOLDER.
//
// `mod.js` and `src/browser/inWorker.js` are modules in a tree, one for each source, so that bundlers leave out those that a program does not use; packages stay
// imports. `cambium.min.js` has all in one file, for `<script type="module">`; `worker.min.js` is a worker that runs jobs.
import { join } from "node:path";
import { build } from "esbuild";
import { common, forBrowsers, root, textFor } from "./browser.mjs";

const [to] = process.argv.slice(2);
const faces = ["mod.ts", "src/browser/inWorker.ts"].map((path) => join(root, path));

/** The sources that are imported from the faces, and no types alone. */
const sources = async () => {
  const { metafile } = await build({
    ...common,
    entryPoints: faces,
    outdir: to,
    bundle: true,
    packages: "external",
    write: false,
    metafile: true,
    plugins: [forBrowsers],
  });
  return Object.keys(metafile.inputs).map((path) => join(root, path));
};

/** Sources as they are for browsers, with the names that their neighbours have when they are compiled. */
const inTree = {
  name: "in a tree",
  setup: (build) =>
    build.onLoad({ filter: /\.ts$/ }, ({ path }) => ({ contents: textFor(path).replace(/(["'])(\.\.?\/[^"'\n]*)\.ts\1/g, "$1$2.js$1"), loader: "ts" })),
};

const tree = async () => build({ ...common, entryPoints: await sources(), outbase: root, outdir: to, plugins: [inTree] });

/** The worker lies beside the file that has all in one. */
const besides = {
  name: "beside",
  setup: (build) =>
    build.onLoad({ filter: /[\\/]src[\\/]browser[\\/]workerAddress\.ts$/ }, ({ path }) => ({
      contents: textFor(path).replace("../../worker.min.js", "./worker.min.js"),
      loader: "ts",
    })),
};

const minified = (outfile, contents) =>
  build({ ...common, stdin: { contents, resolveDir: root }, outfile: join(to, outfile), bundle: true, minify: true, plugins: [besides, forBrowsers] });

await Promise.all([
  tree(),
  minified("cambium.min.js", 'export * from "./mod.ts"; export { inWorker } from "./src/browser/inWorker.ts";'),
  minified("worker.min.js", 'import { serve } from "./src/browser/serve.ts"; serve(globalThis);'),
]);
