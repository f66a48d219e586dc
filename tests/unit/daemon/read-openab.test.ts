import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test, type TestContext } from "node:test";
import { UserError } from "../../../lib/base/errors.ts";
import { readOpenab } from "../../../lib/daemon/read-openab.ts";

const VALUES = `agents:
  kiro:
    discord: {botToken: MTA-literal, allowedChannels: [1234567890123456789]}
    command: kiro-cli
    args: [acp]
`;
const TOML = '[discord]\nbot_token = "${KIRO}"\n[agent]\ncommand = "kiro-cli"\n';

function folder(t: TestContext, files: Record<string, string>): string {
  const cwd = mkdtempSync(join(tmpdir(), "herd-read-openab-"));
  t.after(() => rmSync(cwd, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(cwd, name)), { recursive: true });
    writeFileSync(join(cwd, name), text);
  }
  return cwd;
}

test("a values file of the Helm chart is known by its ending, and by what is in it", (t) => {
  const cwd = folder(t, {
    "values.yaml": VALUES,
    "my.yml": VALUES,
    "config.yaml": VALUES,
    v: VALUES,
  });
  for (const file of ["values.yaml", "my.yml", "config.yaml", "v"]) {
    const { yaml, notices } = readOpenab(cwd, [file]);
    assert.match(yaml, /allowed_channels: \["1234567890123456789"\]/);
    assert.match(notices.join("\n"), /^kiro: Put the bot's token into/m);
    assert.ok(!`${yaml}${notices}`.includes("MTA-literal"));
  }
});

test("a bot is called as its file, or as the folder of a config.toml", (t) => {
  const cwd = folder(t, { "kiro.2/config.toml": TOML, "ops.toml": TOML.replace("KIRO", "OPS") });
  const { yaml } = readOpenab(cwd, ["kiro.2/config.toml", "ops.toml"]);
  assert.match(yaml, /^ {4}kiro\.2:[^]*^ {4}ops:/m);
});

test("a file that is none of OpenAB's is refused with what is missing", (t) => {
  const cwd = folder(t, { "Cargo.toml": '[package]\nname = "x"\n' });
  for (const file of ["Cargo.toml", "/dev/null"]) {
    assert.throws(
      () => readOpenab(cwd, [file]),
      (error) => error instanceof UserError && /no section "discord"/.test(error.message),
    );
  }
});
