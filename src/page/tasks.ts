/** The tasks of a stream: how large each is, and what guessing reaches. */
import type { ProbeResult } from "../report/result.ts";
import type { Entry } from "./entries.ts";
import { plainTable, scrolling } from "./markup.ts";
import { saveRows, valueText, type Value } from "./save.ts";
import { spacePhrase } from "./spaces.ts";

/** A column of the table: its heading, what it says of task `j`, and of a probe. */
interface TaskColumn {
  readonly heading: string;
  readonly of: (j: number) => Value;
  readonly ofProbe: (probe: ProbeResult) => Value;
}

/** Chance in every label space that a run was scored in, where it is known; probes are scored among their own classes, or as their questions are. */
const chanceColumns = ({ labelSpace, chance, also }: Entry["summary"]["runs"][number]): readonly TaskColumn[] => {
  const spaces = [{ name: labelSpace, chance }, ...Object.entries(also).map(([name, scored]) => ({ name, chance: scored.chance }))];
  return spaces
    .filter((space) => space.chance.some((x) => x !== null))
    .map((space) => ({
      heading: `Chance${spaces.length > 1 ? ` ${spacePhrase(space.name)}` : ""}, %`,
      of: (j) => space.chance[j] ?? null,
      ofProbe: (probe) => (space.name === "task" || space.name === "choice" || spaces.length === 1 ? probe.chance : null),
    }));
};

/** The perplexity of the probes that are answered in words, before the stream and at its end. */
const perplexityColumns = ({ probes }: Entry["summary"]["runs"][number]): readonly TaskColumn[] => {
  if (probes.every(({ perplexity }) => perplexity === undefined)) return [];
  const none = (): Value => null;
  const rounded = (x: number | null | undefined): Value => (x === null || x === undefined ? null : Number(x.toPrecision(4)));
  return [
    { heading: "Perplexity before", of: none, ofProbe: ({ perplexity }) => rounded(perplexity?.zeroShot) },
    { heading: "at the end", of: none, ofProbe: ({ perplexity }) => rounded(perplexity?.after.at(-1)) },
  ];
};

/** The rows of the table, its heading first. */
export const taskRows = (entries: readonly Entry[]): readonly (readonly Value[])[] => {
  const { summary } = entries.find((entry) => entry.summary.images.length > 0) ?? entries[0];
  const { datasets, classes, images, runs } = summary;
  const columns: readonly TaskColumn[] = [
    ...(classes.length > 0 ? [{ heading: "Classes", of: (j: number) => classes[j] ?? null, ofProbe: (probe: ProbeResult) => probe.classes }] : []),
    ...(images.length > 0
      ? [
          {
            heading: classes.length > 0 ? "Test images" : "Test questions",
            of: (j: number) => images[j] ?? null,
            ofProbe: (probe: ProbeResult) => probe.images,
          },
        ]
      : []),
    ...chanceColumns(runs[0]),
    ...perplexityColumns(runs[0]),
  ];
  return [
    ["Task", ...columns.map(({ heading }) => heading)],
    ...datasets.map((name, j) => [`${j + 1} ${name}`, ...columns.map(({ of }) => of(j))]),
    ...runs[0].probes.map((probe) => [`${probe.name} (never learned)`, ...columns.map(({ ofProbe }) => ofProbe(probe))]),
  ];
};

/** Percent with a decimal, also where it is whole; counts as they are. */
const texts = ([head, ...rows]: readonly (readonly Value[])[]): readonly (readonly string[])[] => [
  head.map(valueText),
  ...rows.map((row) => row.map((value, c) => (String(head[c]).endsWith("%") && typeof value === "number" ? value.toFixed(1) : valueText(value)))),
];

/** The table of the tasks. */
export const tasksTable = (entries: readonly Entry[]): string => {
  const rows = taskRows(entries);
  const written = texts(rows);
  return `${scrolling("The tasks", plainTable("summary tasks", written))}${saveRows("Tasks", rows, written)}`;
};
