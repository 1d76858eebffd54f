// Serves a folder on 127.0.0.1, whole files and ranges of them: node examples/web/serve.mjs [--port PORT] [FOLDER]. Prints the address.
// What a page keeps belongs to its address, so the port is the same every time where nobody else has it; 0 is any that is free.
import { createServer } from "node:http";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { sendFile } from "./sendFile.mjs";

const { values, positionals } = parseArgs({ options: { port: { type: "string", default: "8791" } }, allowPositionals: true });
const [folder = join("dist", "web")] = positionals;

const server = createServer((request, response) => {
  if (!sendFile(folder, request, response)) response.writeHead(404).end();
});

const listen = (port) => server.listen(port, "127.0.0.1");
server.on("listening", () => {
  process.stdout.write(`http://127.0.0.1:${server.address().port}/\n`);
  process.stderr.write("Ctrl-C ends it. A Chromium on Linux may need --enable-unsafe-webgpu for WebGPU.\n");
});
server.on("error", ({ code, message }) => {
  if (code === "EADDRINUSE" && Number(values.port) !== 0) {
    process.stderr.write(`Port ${values.port} is taken; here is another, under which a page does not see what it has kept under that one.\n`);
    listen(0);
    values.port = "0";
    return;
  }
  process.stderr.write(`${message}\n`);
  process.exit(1);
});
listen(Number(values.port));
