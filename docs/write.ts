/** Writes the parts of the documents that follow from the code anew: `npm run docs`. */
import { readFileSync, writeFileSync } from "node:fs";
import { documents, rewritten } from "./tables.ts";

for (const document of documents) writeFileSync(document, rewritten(document, readFileSync(document, "utf8")));
