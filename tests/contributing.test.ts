/** CONTRIBUTING.md: the files, scripts and names that its recipes speak of are there. */
import { existsSync, readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";

const text = readFileSync("CONTRIBUTING.md", "utf8");
const code = [...text.matchAll(/`([^`\n]+)`/g)].map(([, words]) => words);

test("files", () => {
  const files = code.filter((words) => /^(src|tests|wgsl|docs|bench|examples|\.ci)\/[\w/.-]+$/.test(words) && !words.includes("NAME"));
  assert.ok(files.length > 15, `${files.length} files`);
  assert.equal(
    files.filter((file) => !existsSync(file)),
    [],
  );
});

test("scripts", () => {
  const { scripts } = JSON.parse(readFileSync("package.json", "utf8")) as { readonly scripts: Readonly<Record<string, string>> };
  const named = [...text.matchAll(/\bnpm (?:run )?([a-z][\w:]*)/g)].map(([, name]) => name);
  assert.ok(named.length > 10, `${named.length} scripts`);
  assert.equal(
    named.filter((name) => !(name in scripts)),
    [],
  );
});

/** Where the names of each recipe are. */
const names: Readonly<Record<string, readonly string[]>> = {
  "src/methods/declare.ts": ["declareMethod", "readings", "needs"],
  "src/training/objective.ts": ["matching"],
  "src/kernels/matmul.ts": ["matmulKernels"],
  "src/kernels/variants.ts": ["matmulVariants"],
  "src/kernels/launch.ts": ["elementLaunch", "rowLaunch", "launch"],
  "src/tensor/tensor.ts": ["apply"],
  "src/model/architecture.ts": ["Architecture", "lazily", "readout"],
  "src/model/config.ts": ["configCodec"],
  "src/model/model.ts": ["initialModel", "architectures"],
  "tests/kernels/check.ts": ["checkElements", "checkKernel"],
  "tests/kernels/elementwise.test.ts": ["unary"],
  "tests/tensor/check.ts": ["checkOp"],
  "tests/tensor/ops.test.ts": ["unaries"],
  "tests/methods/baselines.test.ts": ["all", "needText"],
};

test("names", () => {
  for (const [file, list] of Object.entries(names)) {
    const source = readFileSync(file, "utf8");
    for (const name of list) {
      assert.match(text, new RegExp(`\`${name}\\b`), name);
      assert.match(source, new RegExp(`\\b${name}\\b`), `${file}: ${name}`);
    }
  }
});

test.run();
