/** The rooms of the house, and which way the arrows go: what src imports, read from its text. */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { posix } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";

/** From the top to the bottom; rooms of one floor may import one another. */
const floors: readonly (readonly string[])[] = [
  ["cli", "browser"],
  ["info", "afterwards", "sweep"],
  ["runs"],
  ["methods"],
  ["stages"],
  ["subspace"],
  ["training"],
  ["language"],
  ["data", "model", "page", "report"],
  ["tensor"],
  ["kernels"],
  ["device"],
  ["linalg", "formats", "scores"],
  ["platform"],
  ["wgsl"],
];

/** What every room may import. */
const shared: readonly string[] = ["src/failure.ts", "src/random.ts"];

const filesOf = (dir: string, suffix: RegExp): readonly string[] =>
  readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const path = posix.join(dir, entry.name);
    return entry.isDirectory() ? filesOf(path, suffix) : suffix.test(entry.name) ? [path] : [];
  });

const sources = filesOf("src", /\.ts$/);
const text = new Map([...sources, "mod.ts"].map((file) => [file, readFileSync(file, "utf8")] as const));

/** `import … from`, `export … from`, `import "…"` and `import("…")`, of types and of values. */
const importStatement = /(?:^(?:import|export)\b[^;"']*?\bfrom\s*|^import\s*|\bimport\(\s*)["']([^"']+)["']/gm;

const importsOf = (file: string): readonly string[] => [...text.get(file)!.matchAll(importStatement)].map(([, specifier]) => specifier);

/** The files of this package that a file imports. */
const neighbours = (file: string): readonly string[] =>
  importsOf(file)
    .filter((s) => s.startsWith("."))
    .map((s) => posix.join(posix.dirname(file), s));

const roomOf = (file: string): string => (file.startsWith("src/") ? file.split("/")[1] : file.split("/")[0]);
const floorOf = (file: string): number => floors.findIndex((rooms) => rooms.includes(roomOf(file)));

test("the text of an import is found in all its forms", () => {
  const forms = [
    'import { a, type B } from "./a.ts";',
    'import type {\n  C,\n} from "./b.ts";',
    'export * as d from "./c.ts";',
    'export type { E } from "./d.ts";',
    'import "./e.ts";',
    'const f = await import("./f.ts");',
    'type G = import("./g.ts").G;',
    '// is imported from "./not.ts"',
  ];
  assert.equal(
    [...forms.join("\n").matchAll(importStatement)].map(([, s]) => s),
    ["a", "b", "c", "d", "e", "f", "g"].map((n) => `./${n}.ts`),
  );
});

test("every room has its floor", () => {
  for (const file of sources) assert.ok(shared.includes(file) || floorOf(file) >= 0, `${file} is in no room of any floor`);
});

test("every import names a file of the product, with its suffix", () => {
  for (const file of text.keys()) for (const target of neighbours(file)) assert.ok(existsSync(target), `${file} imports ${target}`);
});

test("no import goes up", () => {
  const up = sources.flatMap((file) =>
    neighbours(file)
      .filter((target) => !shared.includes(target) && (shared.includes(file) || floorOf(target) < floorOf(file)))
      .map((target) => `${file} imports ${target}`),
  );
  assert.equal(up, []);
});

test("no import goes round", () => {
  const done = new Set<string>();
  const round: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) return void round.push([...path.slice(path.indexOf(file)), file].join(" → "));
    if (done.has(file)) return;
    for (const target of neighbours(file).filter((t) => text.has(t))) visit(target, [...path, file]);
    done.add(file);
  };
  for (const file of text.keys()) visit(file, []);
  assert.equal(round, []);
});

type Packages = Readonly<Record<string, string>>;
const { dependencies, peerDependencies } = JSON.parse(readFileSync("package.json", "utf8")) as Readonly<Record<"dependencies" | "peerDependencies", Packages>>;

/** The package that a specifier is of. */
const packageOf = (specifier: string): string =>
  specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");

test("packages and built-ins: fp-ts by file, Node by prefix, nothing that is not a dependency", () => {
  for (const file of sources) {
    for (const specifier of importsOf(file).filter((s) => !s.startsWith(".") && !(packageOf(s) in peerDependencies))) {
      assert.ok(specifier.startsWith("node:") || packageOf(specifier) in dependencies, `${file} imports ${specifier}`);
      if (packageOf(specifier) === "fp-ts") assert.match(specifier, /^fp-ts\/(lib\/\w+|HKT)\.js$/, `${file} imports ${specifier}`);
    }
  }
});

test("optional packages are loaded when they are used, in src/platform/node alone; elsewhere, and in declarations, nothing knows them", () => {
  const loaded = /\bimport\(\s*"([^"]+)"\s*\)|^import type [^;]*? from "([^"]+)"/gm;
  for (const file of [...sources, "mod.ts"]) {
    const optional = importsOf(file).filter((s) => packageOf(s) in peerDependencies);
    const late = [...text.get(file)!.matchAll(loaded)].map(([, value, type]) => value ?? type);
    for (const specifier of optional) assert.ok(file.startsWith("src/platform/node/") && late.includes(specifier), `${file} imports ${specifier}`);
    assert.is(late.filter((s) => packageOf(s) in peerDependencies).length, optional.length, `${file} imports an optional package before it is used`);
  }
  const declarations = existsSync("dist/src") ? filesOf("dist/src", /\.d\.ts$/) : [];
  const named = new RegExp(`["'](${Object.keys(peerDependencies).join("|")})["'/]`);
  for (const file of declarations) assert.not.match(readFileSync(file, "utf8"), named, file);
});

/** The text of a file without its comments and without what stands in quotes. */
const codeOf = (file: string): string =>
  text
    .get(file)!
    .replace(/\/\*[\s\S]*?\*\/|\/\/.*|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g, (found) =>
      found.startsWith("`") ? found.replace(/^`|`$|(?<=^|\})[^$]*?(?=\$\{|$)/g, " ") : "",
    );

test("only src/platform/node and the command know Node, its globals and native packages; only src/platform/default.ts and the command know src/platform/node", () => {
  const native = /^(node:|(webgpu|sharp|tar-stream|@huggingface\/hub|@sparticuz\/chromium)$)/;
  const globals = /\b(Buffer|process|setImmediate|__dirname|__filename|require|Deno)\b/;
  for (const file of [...sources, "mod.ts"].filter((name) => !/^src\/(platform\/node|cli)\//.test(name))) {
    for (const specifier of importsOf(file)) assert.not.match(specifier, native, `${file} imports ${specifier}`);
    assert.not.match(codeOf(file), globals, file);
    const below = neighbours(file).filter((target) => target.startsWith("src/platform/node/"));
    assert.ok(below.length === 0 || file === "src/platform/default.ts", `${file} imports ${below.join()}`);
  }
});

test("the public face re-exports, and does nothing else", () => {
  const rest = text
    .get("mod.ts")!
    .replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, "")
    .replace(/export (type )?(\*( as \w+)?|\{[^}]*\}) from "[^"]+";/g, "");
  assert.is(rest.trim(), "");
});

test("no path of a machine and no host of a registry in the product", () => {
  const product = ["mod.ts", ...sources, ...filesOf("wgsl", /\.wgsl$/), ...filesOf("examples", /\.ts$/)];
  const foreign = /["'`(\s]\/(work|tmp|home|root|Users)\/|\b(registry\.npmjs|npmjs\.org|jsr\.io|esm\.sh|deno\.land|unpkg\.com|jsdelivr|pypi\.org)\b/;
  for (const file of product) {
    readFileSync(file, "utf8")
      .split("\n")
      .forEach((line, i) => assert.not.match(line, foreign, `${file}:${i + 1}`));
  }
});

const lines = (file: string): readonly string[] => text.get(file)!.trimEnd().split("\n");

test("no line of src is longer than 160 characters", () => {
  const long = sources.flatMap((file) => lines(file).flatMap((line, i) => (line.length > 160 ? [`${file}:${i + 1}`] : [])));
  assert.equal(long, []);
});

// The linter counts the lines of functions: 60 at most (biome.json).
test("no file of src has more than 250 lines", () => {
  const long = sources.map((file) => [file, lines(file).length] as const).filter(([, length]) => length > 250);
  assert.equal(long, []);
});

test("no room has more than an eighth of the lines of src", () => {
  const rooms = new Map<string, number>();
  for (const file of sources.filter((f) => !shared.includes(f))) rooms.set(roomOf(file), (rooms.get(roomOf(file)) ?? 0) + lines(file).length);
  const eighth = sources.reduce((sum, file) => sum + lines(file).length, 0) / 8;
  assert.equal(
    [...rooms].filter(([, length]) => length > eighth),
    [],
  );
});

test.run();
