/** Writes the tables of the documents anew: `npm run docs`. */
import { readFileSync, writeFileSync } from "node:fs";
import { documents, rewritten } from "./tables.ts";

for (const document of documents) writeFileSync(document, rewritten(document, readFileSync(document, "utf8")));
