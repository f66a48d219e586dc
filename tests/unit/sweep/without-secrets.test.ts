import assert from "node:assert/strict";
import { test } from "node:test";
import { withoutSecrets } from "../../../lib/sweep/without-secrets.ts";

test("values of secret variables are taken out wherever they stand; those of others stay", () => {
  const env = {
    MY_TOKEN: "abcdef123",
    PATH: "/usr/bin",
    SHORT_KEY: "abc",
    A_SECRET: "abcdef123456",
  };
  const text = withoutSecrets("x abcdef123456 y abcdef123 /usr/bin abc", env);
  assert.equal(text, "x (secret) y (secret) /usr/bin abc");
});

test("what is named or looks like a secret is taken out, a reference to a variable stays", () => {
  const hostile = {
    "sk-ant-api03-abcdefghijklmnopqrst": /^\(secret\)$/,
    "export WANDB_API_KEY=0123456789abcdef": /^export WANDB_API_KEY=\(secret\)$/,
    "  Authorization: Bearer abc.def-123456": /\(secret\)/,
    '{"password": "hunter2hunter2"}': /^\{"password": "\(secret\)"\}$/,
    "postgres://me:pass1234@db/x": /^postgres:\/\/me:\(secret\)@db\/x$/,
    "api_key_env: ANTHROPIC_KEY_env": /ANTHROPIC_KEY_env/,
    "token: ${HF_TOKEN}": /\$\{HF_TOKEN\}/,
    "tokens: 1200": /1200/,
    "lr: 0.1": /^lr: 0\.1$/,
  };
  for (const [text, wanted] of Object.entries(hostile)) {
    assert.match(withoutSecrets(text, {}), wanted, text);
  }
  const key = "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nx";
  assert.equal(withoutSecrets(key, {}), "(secret)\nx");
});

test("a line of a megabyte takes no time to speak of", () => {
  const before = performance.now();
  for (const piece of ["a", "token", "sk-", "://a:", "token = ", "eyJ.", "-"]) {
    withoutSecrets(piece.repeat(Math.ceil(100_000 / piece.length)), {});
  }
  assert.ok(performance.now() - before < 5_000);
});
