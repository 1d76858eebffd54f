/** Paths as text with `/` between names, the same on every platform: what `node:path` calls posix. */

/** Takes `.` and what `..` undoes out of the names of a path. */
const resolved = (names: readonly string[], rooted: boolean): readonly string[] => {
  const kept: string[] = [];
  for (const name of names) {
    if (name === "" || name === ".") continue;
    if (name !== "..") kept.push(name);
    else if (kept.length > 0 && kept[kept.length - 1] !== "..") kept.pop();
    else if (!rooted) kept.push(name);
  }
  return kept;
};

/**
 * The parts as one path, without `.`, `..` and doubled slashes where they can be spared.
 *
 * ```ts
 * join("models", "./clip", "config.json") === "models/clip/config.json"
 * ```
 */
export const join = (...parts: readonly string[]): string => {
  const path = parts.filter((part) => part !== "").join("/");
  const rooted = path.startsWith("/");
  const names = resolved(path.split("/"), rooted).join("/");
  const end = path.endsWith("/") && names !== "" ? "/" : "";
  if (rooted) return `/${names}${end}`;
  return names === "" ? (path.endsWith("/") && path !== "" ? "./" : ".") : `${names}${end}`;
};

const withoutEnd = (path: string): string => path.replace(/(?<=[^/])\/+$/, "");

/** The folder that a path is in: `.` for a name alone, `/` for what stands at the root. */
export const dirname = (path: string): string => {
  const trimmed = withoutEnd(path);
  const slash = trimmed.lastIndexOf("/");
  if (slash < 0) return ".";
  return withoutEnd(trimmed.slice(0, slash)) || "/";
};

/** The last name of a path. */
export const basename = (path: string): string => {
  const trimmed = withoutEnd(path);
  return trimmed.slice(trimmed.lastIndexOf("/") + 1);
};

/** Whether an absolute path leads into a folder, and is not that folder itself. */
export const liesIn = (path: string, folder: string): boolean => path.startsWith(folder.endsWith("/") ? folder : `${folder}/`);
