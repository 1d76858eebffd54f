/** What the paths of a browser lead to: URLs, what a person has picked, and everything else in the page's own storage, whose root is `/`. */

/** Where a path leads. */
export type Place = "url" | "mounted" | "own";

/** The folder that holds what was picked. */
export const mountedFolder = "mounted";

/** A URL as a path: where names were joined to it, one of its two slashes is lost. */
const url = /^(?:blob:|(https?):\/+)/i;

/** The names of a path from its root on, without `.` and `..`. */
export const namesOf = (path: string): readonly string[] => {
  const names: string[] = [];
  for (const name of path.split("/")) {
    if (name === "..") names.pop();
    else if (name !== "" && name !== ".") names.push(name);
  }
  return names;
};

/** A path from the root on. A URL stays one. */
export const absolute = (path: string): string => {
  const [start, scheme] = url.exec(path) ?? [];
  if (start === undefined) return `/${namesOf(path).join("/")}`;
  return scheme === undefined ? path : `${scheme}://${path.slice(start.length)}`;
};

/** Where a path leads. */
export const placeOf = (path: string): Place => {
  if (url.test(path)) return "url";
  return namesOf(path)[0] === mountedFolder ? "mounted" : "own";
};
