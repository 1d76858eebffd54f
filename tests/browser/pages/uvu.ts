/** Runs tests of uvu in a browser. Imported before them: they wait until they are asked, and what uvu writes is kept. */

const told: string[] = [];

Object.assign(globalThis, { UVU_DEFER: 1, UVU_QUEUE: [[null]] });
const { log } = console;
/** uvu writes by `console.log` where there is no Node; it takes the function when it is loaded. */
console.log = (text: string) => void told.push(text);

/** Runs the tests that were registered, and gives what uvu wrote. */
export const written = async (exec: () => Promise<void>): Promise<string> => {
  console.log = log;
  await exec();
  return told.join("");
};
