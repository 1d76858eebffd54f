// What a bundle for browsers has otherwise than the sources say.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the project. */
export const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** A kernel without its comments, blanks at the beginning of lines, and empty lines; what `specialise` reads stays. */
const bare = (wgsl) =>
  wgsl
    .split("\n")
    .map((line) => (/^\s*\/\/#/.test(line) ? line : line.replace(/\/\/.*/, "")).trim())
    .filter((line) => line !== "")
    .join("\n");

const bareKernels = (text) => text.replace(/^( {2}"[^"]+": )("(?:[^"\\]|\\.)*"),$/gm, (_, key, wgsl) => `${key}${JSON.stringify(bare(JSON.parse(wgsl)))},`);

/**
 * The text of a source for browsers: another file in the place of the platform of Node and Deno, kernels without comments, and fp-ts by modules of ECMAScript,
 * of which bundlers drop what is not used.
 */
export const textFor = (path) => {
  if (/[\\/]src[\\/]platform[\\/]default\.ts$/.test(path)) return 'export { platform } from "./web/default.ts";\n';
  const text = readFileSync(path, "utf8").replace(/"fp-ts\/lib\/(\w+)\.js"/g, '"fp-ts/es6/$1.js"');
  return /[\\/]wgsl[\\/]generated\.ts$/.test(path) ? bareKernels(text) : text;
};

/** A plugin of esbuild that reads sources as they are for browsers. */
export const forBrowsers = {
  name: "for browsers",
  setup: (build) => build.onLoad({ filter: /\.tsx?$/ }, ({ path }) => ({ contents: textFor(path), loader: path.endsWith("x") ? "tsx" : "ts" })),
};

/** How all bundles are made. */
export const common = {
  absWorkingDir: root,
  format: "esm",
  target: "es2022",
  platform: "browser",
  logLevel: "warning",
  charset: "utf8",
  legalComments: "none",
};
