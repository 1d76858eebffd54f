/** A tab of a browser for a test: it calls functions of bundled modules there, and remembers everything that a user would call a fault. */
import type { Browser, Page } from "playwright-core";

/** A tab whose storage is its own. */
export interface Tab {
  readonly page: Page;
  /** The address of its server, without a slash at its end. */
  readonly origin: string;
  /** Calls a function of a module of this repository in a dedicated worker, or in the window; arguments and results are data. */
  readonly inWorker: <A>(module: string, name: string, ...args: readonly unknown[]) => Promise<A>;
  readonly inWindow: <A>(module: string, name: string, ...args: readonly unknown[]) => Promise<A>;
  /** What went wrong without anybody asking, oldest first: errors in the console, errors that nobody caught, requests to another host. */
  readonly complaints: string[];
  readonly close: () => Promise<void>;
}

const moduleUrl = (file: string): string => `/modules/${file.replace(/\.ts$/, ".js")}`;

const isElsewhere = (url: string, origin: string): boolean => /^(http|ws)s?:/.test(url) && new URL(url).host !== new URL(origin).host;

/** Remembers what a page complains about. */
const watched = (page: Page, origin: string): string[] => {
  const complaints: string[] = [];
  page.on("console", (message) => message.type() === "error" && complaints.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => complaints.push(`not caught: ${error.stack ?? error.message}`));
  page.on("crash", () => complaints.push("the tab crashed"));
  page.context().on("request", (request) => isElsewhere(request.url(), origin) && complaints.push(`asked another host: ${request.url()}`));
  return complaints;
};

/** Opens a page of a server in a new tab with a storage of its own. */
export const openTab = async (browser: Browser, origin: string, path = "/"): Promise<Tab> => {
  const context = await browser.newContext();
  const page = await context.newPage();
  const complaints = watched(page, origin);
  await page.goto(`${origin}${path}`);
  // As text: the compiler would have a say in an import that it sees.
  const call = <A>(module: string, name: string, args: readonly unknown[]): Promise<A> =>
    page.evaluate<A>(`import(${JSON.stringify(module)}).then((module) => module[${JSON.stringify(name)}](...${JSON.stringify(args)}))`);
  return {
    page,
    origin,
    inWindow: (module, name, ...args) => call(moduleUrl(module), name, args),
    inWorker: (module, name, ...args) => call(moduleUrl("tests/browser/pages/window.ts"), "inWorker", [{ module: moduleUrl(module), name, args }]),
    complaints,
    close: () => context.close(),
  };
};
