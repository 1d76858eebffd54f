// The checks that read the sources only: types, lint and format. `npm run mend` mends what a program can.
import { spawnSync } from "node:child_process";
import "./setup.mjs";

const { status } = spawnSync(process.execPath, ["node_modules/@biomejs/biome/bin/biome", "check", "--error-on-warnings", "--max-diagnostics=100"], {
  stdio: "inherit",
});
if (status !== 0) {
  process.stderr.write("`npm run mend` writes the format and the fixes that are safe; what it leaves is named above, with its line.\n");
  process.exit(1);
}
