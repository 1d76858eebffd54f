// What a bundle for browsers has otherwise than the sources say: the platform, in one file that is replaced by another.
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const platforms = join(dirname(fileURLToPath(import.meta.url)), "..", "src", "platform");

/** A plugin of esbuild: where the sources ask for the platform of Node and Deno, they get that of browsers. */
export const forBrowsers = {
  name: "for browsers",
  setup: (build) =>
    build.onLoad({ filter: /[\\/]src[\\/]platform[\\/]default\.ts$/ }, () => ({
      contents: 'export { platform } from "./web/default.ts";',
      loader: "ts",
      resolveDir: platforms,
    })),
};
