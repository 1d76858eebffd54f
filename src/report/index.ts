/** The namespace `report`: metrics of the accuracy matrix, results, tables, the page, what a notebook shows, and progress. */
export * from "./metrics.ts";
export * from "./classIncremental.ts";
export * from "./result.ts";
export * from "./resultCodec.ts";
export * from "./runReport.ts";
export * from "./log.ts";
export { summarise } from "./summary.ts";
export type { Spread, Summary } from "./summary.ts";
export { markdownTable, textTable } from "./table.ts";
export { htmlReport, reportBody } from "../page/html.ts";
export type { ReportExtras } from "../page/html.ts";
export { display, displayable, displayCurves, displayMatrices, displayRanks, displayTable } from "../page/display.ts";
export type { Displayable, MimeBundle } from "../page/display.ts";
export { prettyJson } from "./json.ts";
export { describeStream } from "./describeStream.ts";
export type { DescribeOptions } from "./describeStream.ts";
export { progress } from "./progress.ts";
export type { Bar, Progress, ProgressOptions, Sink } from "./progress.ts";
