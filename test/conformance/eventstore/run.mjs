// Runs the scenarios against a server.
//   node run.mjs URL                  compare with expected.json
//   node run.mjs URL --record FILE    write the observed outcomes to FILE
//   node run.mjs URL --only REGEX     only scenarios whose name matches
//   node run.mjs URL --expected FILE  compare with another file
//   node run.mjs --list               print the names of all scenarios
// URL is an EventStoreDB connection string, e.g. "esdb://127.0.0.1:2113?tls=false".

import { readFile, readdir, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { EventStoreDBClient } from "@eventstore/db-client";
import { Context } from "./lib/context.mjs";
import { differences } from "./lib/differences.mjs";
import { normalise } from "./lib/normalise.mjs";
import { allScenarios } from "./lib/registry.mjs";
import { Wire, shared } from "./lib/wire.mjs";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    record: { type: "string" },
    only: { type: "string" },
    expected: { type: "string", default: new URL("expected.json", import.meta.url).pathname },
    list: { type: "boolean" },
  },
});

const scenarios = await loadScenarios(options.only);
if (options.list) {
  for (const { name } of scenarios) console.log(name);
  await exit(0);
}
const [url] = positionals;
if (!url) {
  console.error("usage: node run.mjs URL [--record FILE] [--only REGEX] [--expected FILE]");
  process.exit(2);
}

const clients = connect(url);
const greeting = await clients.wire.unary("features", "getSupportedMethods", new shared.Empty());
if (greeting.failed?.code === "UNAVAILABLE") {
  console.error(`no server answers at ${url}`);
  process.exit(2);
}

// The scenario that runs. An answer that the client cannot handle ends the process
// otherwise; here it is part of the outcome.
let current;
process.on("uncaughtException", (error) => {
  if (!current) throw error;
  current.outcome["the client failed"] = normalise(error, current.names);
});

const failures = options.record ? await record(options.record) : await compare(options.expected);
await exit(failures > 0 ? 1 : 0);

/** Ends the process once all output is on its way; what a pipe has not taken would be lost otherwise. */
function exit(code) {
  return new Promise(() => process.stdout.write("", () => process.exit(code)));
}

async function loadScenarios(only) {
  const folder = new URL("scenarios/", import.meta.url);
  for (const file of (await readdir(folder)).sort()) await import(new URL(file, folder).href);
  const pattern = new RegExp(only ?? "");
  return allScenarios().filter(({ name }) => pattern.test(name));
}

function connect(url) {
  const separator = url.includes("?") ? "&" : "?";
  return {
    strict: EventStoreDBClient.connectionString(url),
    lenient: EventStoreDBClient.connectionString(`${url}${separator}throwOnAppendFailure=false`),
    wire: new Wire(url),
  };
}

async function record(file) {
  const outcomes = {};
  for (const scenario of scenarios) {
    outcomes[scenario.name] = await run(scenario);
    console.error(`recorded  ${scenario.name}`);
  }
  await writeFile(file, `${JSON.stringify(outcomes, null, 2)}\n`);
  return 0;
}

async function compare(file) {
  const expected = JSON.parse(await readFile(file, "utf8"));
  let failed = 0;
  for (const scenario of scenarios) {
    const observed = await run(scenario);
    const found =
      scenario.name in expected
        ? differences(expected[scenario.name], observed)
        : ["no expected outcome is recorded for this scenario"];
    console.log(`${found.length === 0 ? "ok       " : "differs  "} ${scenario.name}`);
    for (const line of found) console.log(`            ${line}`);
    if (found.length > 0) failed += 1;
  }
  console.log(`${scenarios.length - failed} passed, ${failed} failed`);
  return failed;
}

/** One scenario's outcome. A body that throws or takes too long leaves a note in it. */
async function run({ body, timeout }) {
  const t = new Context(clients);
  current = t;
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not finished after ${timeout} ms`)), timeout);
  });
  try {
    await Promise.race([body(t), late]);
  } catch (error) {
    t.outcome["scenario failed"] = normalise(error, t.names);
  } finally {
    clearTimeout(timer);
  }
  await Promise.race([t.close(), new Promise((resolve) => setTimeout(resolve, 2_000))]);
  return t.outcome;
}
