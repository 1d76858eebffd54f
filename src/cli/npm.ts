/** npm keeps flags for itself where `--` is missing before them: what to write instead. */
import type { Failure } from "../failure.ts";
import type { Table } from "./flags.ts";

/** npm's own. */
const npms: readonly string[] = ["json", "quiet", "help", "version"];

/** The failure that tells of flags which npm has kept from one of its scripts; undefined where it has kept none. */
export const keptByNpm = (table: Table, args: readonly string[], env: Readonly<Record<string, string | undefined>>): Failure | undefined => {
  const { npm_command: command, npm_lifecycle_event: script } = env;
  if (script === undefined || !["run", "run-script", "start"].includes(command ?? "")) return undefined;
  const kept = Object.keys(table).filter(
    (name) => !npms.includes(name) && env[`npm_config_${name.replaceAll("-", "_")}`] !== undefined && !args.some((arg) => arg.split("=")[0] === `--${name}`),
  );
  if (kept.length === 0) return undefined;
  const flags = kept.map((name) => `--${name}${table[name].hint === "" ? "" : ` ${table[name].hint}`}`).join(" ");
  const start = script === "start" ? "npm start" : `npm run ${script}`;
  return {
    _tag: "BadOption",
    option: `--${kept[0]}`,
    detail: `npm has kept it for itself, because -- is missing before the flags; write ${start} -- ${flags} …`,
  };
};
