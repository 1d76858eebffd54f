/** The laws of files, over the disk. A browser's files are held to the same in tests/browser. */
import { test } from "uvu";
import { platform } from "../../src/platform/default.ts";
import { temporaryFolder } from "../fixtures/datasets.ts";
import { filesLaws } from "../fixtures/filesLaws.ts";

const { dir, remove } = temporaryFolder("laws");
test.after(remove);

for (const [name, holds] of filesLaws(platform.files, dir)) test(name, holds);

test.run();
