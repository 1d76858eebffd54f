/** Threads of Node and Deno: started when they are needed, and no reason for a process to go on. */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { Threads } from "../platform.ts";
import type { Answered, Asked } from "./threadMain.ts";

/** More threads than these prepare more images than a device takes. */
const mostThreads = 8;

/** What is asked, and who waits for the answer. */
interface Question {
  readonly asked: Asked;
  readonly answer: (answered: Answered | undefined) => void;
}

/** The module of a thread lies beside this one: compiled where this one is. */
const main = new URL(`./threadMain${import.meta.url.slice(import.meta.url.lastIndexOf("."))}`, import.meta.url);

/** A thread, and the question that it is at. */
interface Thread {
  readonly worker: Worker;
  question: Question | undefined;
}

/** So many threads at most. */
export const threadsOf = (count: number): Threads => {
  const all = new Set<Thread>();
  const waiting: Question[] = [];
  const give = (thread: Thread, question: Question | undefined): void => {
    thread.question = question;
    if (question === undefined) thread.worker.unref();
    else {
      thread.worker.ref();
      thread.worker.postMessage(question.asked);
    }
  };
  const start = (): Thread => {
    const thread: Thread = { worker: new Worker(main), question: undefined };
    const lost = (): void => {
      if (!all.delete(thread)) return;
      thread.question?.answer(undefined);
      const next = waiting.shift();
      if (next !== undefined) give(start(), next);
    };
    thread.worker.on("message", (answered: Answered) => {
      const { question } = thread;
      give(thread, waiting.shift());
      question?.answer(answered);
    });
    thread.worker.on("error", lost);
    thread.worker.on("exit", lost);
    all.add(thread);
    return thread;
  };
  const begin = (question: Question): void => {
    const idle = [...all].find((thread) => thread.question === undefined) ?? (all.size < count ? start() : undefined);
    if (idle === undefined) waiting.push(question);
    else give(idle, question);
  };
  return {
    count,
    run: async (module, input) => {
      const answered = await new Promise<Answered | undefined>((answer) => begin({ asked: { module, input }, answer }));
      if (answered !== undefined && "error" in answered) throw new Error(answered.error);
      return answered?.output;
    },
  };
};

/** Threads for all cores but those of the main thread and of the device. */
export const threads: Threads = threadsOf(Math.max(0, Math.min(mostThreads, availableParallelism() - 2)));
