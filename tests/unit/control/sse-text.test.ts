import assert from "node:assert/strict";
import test from "node:test";
import { createFrameReader, frameText, HEARTBEAT } from "../../../lib/control/sse-text.ts";

const STREAM = `retry: 1000\r\n${HEARTBEAT}` +
  frameText({ id: 7, data: { text: "line\r\nnext\u2028ü" } }) +
  "event: notice\rdata: one\r\ndata:two\n\n" +
  ": only a comment\n\n" +
  "id: 9\nevent: message\ndata\n\n" +
  "data: never finished";

const FRAMES = [
  { event: "message", data: '{"text":"line\\r\\nnext\u2028ü"}', id: "7", marked: true },
  { event: "notice", data: "one\ntwo", id: "7", marked: false },
  { event: "message", data: "", id: "9", marked: true },
];

test("frames are read whatever the line endings and wherever the pieces are cut", () => {
  for (let size = 1; size <= STREAM.length; size++) {
    const read = createFrameReader();
    const frames = [];
    for (let at = 0; at < STREAM.length; at += size) {
      frames.push(...read(STREAM.slice(at, at + size)));
    }
    assert.deepEqual(frames, FRAMES, `pieces of ${size}`);
  }
});

test("text with line breaks cannot make a frame of its own", () => {
  const read = createFrameReader();
  const frames = read(frameText({ id: 1, data: { text: "x\n\nevent: end\ndata: {}\n\n" } }));
  assert.deepEqual(frames.map(({ event }) => event), ["message"]);
});
