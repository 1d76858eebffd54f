// Builds the page of examples/web into dist/web: its two programs, what they are shown with, and the model and the tasks that come along.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { build } from "esbuild";
import { common, forBrowsers, root } from "./browser.mjs";

const [from, to] = [join(root, "examples", "web"), join(root, "dist", "web")];
mkdirSync(to, { recursive: true });

for (const name of readdirSync(from)) if (/\.(html|css)$/.test(name)) cpSync(join(from, name), join(to, name));

await build({
  ...common,
  entryPoints: ["main.tsx", "worker.ts"].map((name) => join(from, name)),
  outdir: to,
  bundle: true,
  minify: true,
  jsx: "automatic",
  jsxImportSource: "preact",
  plugins: [forBrowsers],
});

const writtenAt = (path) => (existsSync(path) ? statSync(path).mtimeMs : 0);
const furnishing = ["furnish-web.ts", join("icons", "packed.ts")].map((name) => writtenAt(join(root, "examples", name)));
// Drawings take some seconds to render and stay the same.
if (writtenAt(join(to, "along", "along.json")) < Math.max(...furnishing)) {
  const furnish = "Deno" in globalThis ? ["run", "-A", "examples/furnish-web.ts"] : ["dist/examples/furnish-web.js"];
  const { status } = spawnSync(process.execPath, [...furnish, to], { cwd: root, stdio: ["ignore", 2, 2] });
  if (status !== 0) process.exit(1);
}
