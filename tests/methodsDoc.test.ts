/** docs/METHODS.md: what comments cite is there, and what it cites is there. */
import { readFileSync, readdirSync } from "node:fs";
import { posix } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { documents, rewritten } from "../docs/tables.ts";

const filesOf = (dir: string): readonly string[] =>
  readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const path = posix.join(dir, entry.name);
    return entry.isDirectory() ? filesOf(path) : /\.(ts|py|wgsl|md|ipynb)$/.test(entry.name) ? [path] : [];
  });

const doc = readFileSync("docs/METHODS.md", "utf8");
const labels = new Set([...doc.matchAll(/^#+ ([A-H](?:\.\d+)*)\.? /gm)].map(([, label]) => label));

/** The labels that a text cites: `A.3` and its like anywhere, and what stands behind the name of the document. */
const cited = (text: string): readonly string[] =>
  [...text.matchAll(/\b[A-H]\.\d+(?:\.\d+)*\b|(?<=METHODS\.md (?:[A-H] and )?)[A-H]\b/g)].map(([label]) => label);

const sources = ["src", "tests", "examples", "wgsl", "bench"]
  .flatMap(filesOf)
  .filter((file) => !file.endsWith("methodsDoc.test.ts"))
  .map((file) => ({ file, text: readFileSync(file, "utf8") }))
  .filter(({ text }) => text.includes("METHODS"));

test("citations are found", () => {
  assert.equal(cited("(METHODS.md A.6, B.3.2), METHODS.md C; METHODS.md E and F. B and 0.5 are none"), ["A.6", "B.3.2", "C", "E", "F"]);
});

test("every section that a comment cites is a heading of docs/METHODS.md", () => {
  assert.ok(sources.length > 30, `${sources.length} files cite it`);
  assert.equal(
    sources.flatMap(({ file, text }) =>
      cited(text)
        .filter((label) => !labels.has(label))
        .map((label) => `${file}: ${label}`),
    ),
    [],
  );
  assert.equal(
    cited(doc).filter((label) => !labels.has(label)),
    [],
  );
});

test("citations have one form: METHODS.md and a label", () => {
  const other = sources.flatMap(({ file, text }) => [...text.matchAll(/METHODS(?!\.md [A-H]\b).{0,20}/g)].map(([found]) => `${file}: ${found}`));
  assert.equal(other, []);
});

test("what it says is in a file is exported there", () => {
  const named = [...doc.matchAll(/\[(`[^\]]+`)\]\(\.\.\/(src\/[^)]+)\)/g)].flatMap(([, names, file]) =>
    [...names.matchAll(/\w+/g)].map(([name]) => ({ name, file })),
  );
  assert.ok(named.length > 40, `${named.length} names`);
  const exported = ({ name, file }: { readonly name: string; readonly file: string }): boolean =>
    new RegExp(`^export (const|function) ${name}\\b`, "m").test(readFileSync(file, "utf8"));
  assert.equal(
    named.filter((n) => !exported(n)),
    [],
  );
});

test("writing the tables of the documents anew changes nothing", () => {
  for (const document of documents) {
    const text = readFileSync(document, "utf8");
    assert.is(rewritten(document, text), text, `${document} is not as npm run docs writes it`);
  }
});

test("a document without its markers is told", () => {
  assert.throws(() => rewritten("README.md", "no table"), /README\.md lacks the markers of methods/);
});

test("the other links lead somewhere, and no path is one of a machine", () => {
  const targets = [...doc.matchAll(/\]\(([^)#]+)[^)]*\)/g)].map(([, target]) => target).filter((target) => !/^https?:/.test(target));
  for (const target of targets) readFileSync(posix.join("docs", target));
  assert.not.match(doc, /(^|[\s`(])\/(work|tmp|home|root|Users)\//);
});

test.run();
