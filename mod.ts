export * from "./src/failure.ts";
export * from "./src/stream/task.ts";
