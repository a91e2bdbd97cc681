// Reads events with the stock CloudEvents SDK for JavaScript, strictly.
//
//   node parse.mjs FILE...   each a JSON event, or one event a line (.jsonl); "-" is one event a line on standard input
//
// Prints {"parsed": n, "types": {"<type>": n}} and exits 0 when the SDK understands every event and gives back what was
// written; otherwise says which events it does not and exits 1.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { CloudEvent, HTTP } from "cloudevents";

const contentType = "application/cloudevents+json; charset=utf-8";

function bodies(file) {
  const text = readFileSync(file === "-" ? 0 : file, "utf8");
  if (file !== "-" && !file.endsWith(".jsonl")) {
    return [{ at: file, body: text }];
  }
  return text
    .split("\n")
    .map((body, i) => ({ at: `${file}:${i + 1}`, body }))
    .filter(({ body }) => body.trim() !== "");
}

// parse is what a consumer does: the message's content type and body in, an event out.
function parse(body) {
  const event = HTTP.toEvent({ headers: { "content-type": contentType }, body });
  event.validate();
  new CloudEvent(JSON.parse(body), true); // strict: throws on what the specification forbids
  return event;
}

function sameAsWritten(event, body) {
  const written = JSON.parse(body);
  const read = JSON.parse(event.toString());
  assert.equal(Date.parse(read.time), Date.parse(written.time)); // the SDK writes milliseconds
  delete read.time;
  delete written.time;
  assert.deepEqual(read, written);
}

const types = {};
let parsed = 0;
let failed = 0;
for (const { at, body } of process.argv.slice(2).flatMap(bodies)) {
  try {
    const event = parse(body);
    sameAsWritten(event, body);
    types[event.type] = (types[event.type] ?? 0) + 1;
    parsed++;
  } catch (err) {
    console.error(`${at}: ${err.message} ${JSON.stringify(err.errors ?? [])}`);
    failed++;
  }
}
if (failed === 0 && parsed === 0) {
  console.error("no event was given");
  failed = 1;
}
console.log(JSON.stringify({ parsed, types }));
process.exitCode = failed === 0 ? 0 : 1;
