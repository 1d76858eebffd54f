/** The list of commands, and the help of the command as a whole. */
import { exampleLines, listOf, type Command } from "./command.ts";
import { compare } from "./compare.ts";
import { evaluate } from "./evaluate.ts";
import { exportCommand } from "./export.ts";
import { generate } from "./generate.ts";
import { paragraph, sections, type Layout } from "./help.ts";
import { info } from "./info.ts";
import { predict } from "./predict.ts";
import { resume } from "./resume.ts";
import { run } from "./run.ts";
import { sweep } from "./sweep.ts";
import { worker } from "./worker.ts";

/** All commands, in the order of a day's work. */
export const commands: readonly Command[] = [run, resume, evaluate, predict, generate, compare, exportCommand, info, sweep, worker];

/** The help of the command as a whole. */
export const helpOfAll = (layout: Layout): string =>
  sections(
    [
      { lines: paragraph("cambium: a model learns one task after another, and keeps what it knew", layout) },
      { heading: "Usage", lines: ["  cambium COMMAND [flags]", "  cambium COMMAND --help", "  cambium --version"] },
      { heading: "Commands", lines: listOf(commands, layout) },
      {
        lines: paragraph(
          "In a clone, cambium is npx cambium or deno task cambium; npm run stream -- FLAGS and deno task stream FLAGS are cambium run FLAGS.",
          layout,
        ),
      },
      {
        heading: "Examples",
        lines: exampleLines(
          [
            ["cambium run --model models/clip --data data/pets,data/cars --method codyra --out runs/codyra", "teaches a model pets, then cars"],
            ["cambium run --method codyra --help", "the options of a method with their defaults"],
          ],
          layout,
        ),
      },
    ],
    layout,
  );
