/** Downloads a model from the hub at the first argument into the cache at the second. */
import process from "node:process";
import * as E from "fp-ts/lib/Either.js";
import { nodeHub } from "../../src/platform/node/hub.ts";

const [endpoint, cache] = process.argv.slice(2);
const environment = { HF_ENDPOINT: endpoint, HF_HUB_CACHE: cache };
await nodeHub({ environment }).snapshot({ kind: "model", name: "org/clip" }, { wanted: E.right })();
