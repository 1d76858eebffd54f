// What a bundle for browsers has otherwise than the sources say.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the project. */
export const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** Blanks of a line that WGSL does not need. Around `*`, `/`, `-` and `&` they may hold two tokens apart, and around braces a word and what `{{NAME}}` becomes. */
const dense = (line) => line.replace(/ *([=,;():+<>?|]) */g, "$1").trim();

/** A kernel without comments, empty lines, and blanks that it does not need; what `specialise` reads stays. */
const bare = (wgsl) =>
  wgsl
    .split("\n")
    .map((line) => (/^\s*\/\/#/.test(line) ? line.trim() : dense(line.replace(/\/\/.*/, ""))))
    .filter((line) => line !== "")
    .join("\n");

/** A text as an expression in which parts that it has are variables. */
const inParts = (text, [first, ...others]) => {
  if (first === undefined) return text === "" ? [] : [JSON.stringify(text)];
  return text.split(first.text).flatMap((piece, i) => [...(i > 0 ? [first.name] : []), ...inParts(piece, others)]);
};

/** The kernels, bare, of the module of kernels; what they have in common by `//#include` stands there once. */
const bareKernels = (module) => {
  const folder = join(root, "wgsl", "parts");
  const textOf = (file) => readFileSync(join(folder, file), "utf8").replace(/^\/\/#include (\w+)$/gm, (_, part) => textOf(`${part}.wgsl`).trimEnd());
  const parts = readdirSync(folder)
    .map((file) => bare(textOf(file)))
    .sort((a, b) => b.length - a.length)
    .map((text, i) => ({ name: `part${i}`, text }));
  const expression = (text, of) => inParts(text, of).join(" + ");
  const constants = parts.map(({ name, text }, i) => `const ${name} = ${expression(text, parts.slice(i + 1))};`).reverse();
  const kernel = /^( {2}"[^"]+": )("(?:[^"\\]|\\.)*"),$/gm;
  return `${constants.join("\n")}\n${module.replace(kernel, (_, key, wgsl) => `${key}${expression(bare(JSON.parse(wgsl)), parts)},`)}`;
};

/** The namespaces of the vocabulary of methods, by name: where each comes from. */
const namespaces = new Map(
  [...readFileSync(join(root, "src", "methods", "vocabulary.ts"), "utf8").matchAll(/^export \* as (\w+) from ("[^"]+");$/gm)].map(([, name, from]) => [
    name,
    from,
  ]),
);

/** Imports of namespaces from where they are made: esbuild follows these, and then drops what is not used of them. */
const direct = (text) =>
  text.replace(/^import \{([^}]*)\} from "\.\/vocabulary\.ts";$/gm, (line, names) => {
    const all = names.split(",").map((name) => name.trim());
    return all.every((name) => namespaces.has(name)) ? all.map((name) => `import * as ${name} from ${namespaces.get(name)};`).join(" ") : line;
  });

/**
 * The text of a source for browsers: another file in the place of the platform of Node and Deno, kernels without comments, and fp-ts by modules of ECMAScript,
 * of which bundlers drop what is not used.
 */
export const textFor = (path) => {
  if (/[\\/]src[\\/]platform[\\/]default\.ts$/.test(path)) return 'export { platform } from "./web/default.ts";\n';
  const text = direct(readFileSync(path, "utf8")).replace(/"fp-ts\/lib\/(\w+)\.js"/g, '"fp-ts/es6/$1.js"');
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
