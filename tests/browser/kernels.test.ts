/** Kernels on the device of a browser, held against the references that they are held against in Node: the same files of tests, as they are. */
import { runsInBrowser, runTests } from "./check.ts";

for (const kind of ["elementwise", "rows", "reduce", "indices", "project", "updates", "windows", "attention"]) runsInBrowser(`tests/kernels/${kind}.test.ts`);

// Of products some: their many pipelines take long to compile on a CPU adapter.
runsInBrowser("tests/kernels/matmul.test.ts", ["odd, NN", "epilogue 0", "heads", "one matrix for all of a batch"]);

runTests();
