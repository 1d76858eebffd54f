/** Python as a reference, where this machine has it. */
import { execFileSync } from "node:child_process";

/** Whether `python3` has all of these packages. */
export const hasPython = (...packages: readonly string[]): boolean => {
  try {
    execFileSync("python3", ["-c", `import ${packages.join(", ")}`], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
};
