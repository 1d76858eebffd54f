/** What images were scored among, and what questions were scored by, in words. */
import { isScore } from "../report/result.ts";

const names: Readonly<Record<string, string>> = {
  ...{ task: "its task", union: "all tasks", seen: "tasks so far" },
  ...{ choice: "the likeliest choice", exact: "exact match", own: "each task's own score" },
};

const meanings: Readonly<Record<string, string>> = {
  choice: "the answer is the choice to which the model gives the largest mean log-likelihood of a token",
  exact: "what the model writes is right where it is the answer as a whole, in any case of letters",
  own: "each task counts by the score that its dataset names",
};

/** A label space, or a score. */
export const spaceName = (labelSpace: string): string => names[labelSpace] ?? labelSpace;

/** The heading of a column of them. */
export const spaceHeading = (labelSpace: string): string => (isScore(labelSpace) ? "Scored by" : "Among");

/** How a row was scored: "among its task", "by exact match". */
export const spacePhrase = (labelSpace: string): string => `${isScore(labelSpace) ? "by" : "among"} ${spaceName(labelSpace)}`;

/** What a column of some of them means. */
export const spaceMeaning = (spaces: readonly string[]): string => {
  if (!spaces.some(isScore)) return "the tasks whose classes an image is told from";
  return spaces
    .map((space) => (space in meanings ? `${spaceName(space)}: ${meanings[space]}` : `${space}: the score of that name, of what the model writes`))
    .join("; ");
};
