// The checks that read the sources only: types (of what runs in a browser alone, too, which the build leaves out), lint and format. `npm run mend` mends what a
// program can.
import { spawnSync } from "node:child_process";
import "./setup.mjs";

/** Whether a program of a package ends well. */
const passes = (program, ...args) => spawnSync(process.execPath, [program, ...args], { stdio: "inherit" }).status === 0;

const typed = passes("node_modules/typescript/bin/tsc", "-p", "tsconfig.web.json");
if (!passes("node_modules/@biomejs/biome/bin/biome", "check", "--error-on-warnings", "--max-diagnostics=100")) {
  process.stderr.write("`npm run mend` writes the format and the fixes that are safe; what it leaves is named above, with its line.\n");
  process.exit(1);
}
if (!typed) process.exit(1);
