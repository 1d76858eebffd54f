/** Training on the device of a browser: CoDyRA step by step against its golden trace, whose files come through URLs. */
import { runsInBrowser, runTests } from "./check.ts";

runsInBrowser("tests/stages/codyraTrace.test.ts");

runTests();
