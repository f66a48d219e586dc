import { missing, readText } from "../sweep/fields.ts";
import { readWebAddress } from "../sweep/read-web-address.ts";
import type { Report } from "../sweep/report.ts";
import type { Node } from "../sweep/yaml-node.ts";
import type { SpeechToText } from "./broker-config.ts";
import { STT_DEFAULTS } from "./broker-defaults.ts";
import { openSection, type Section } from "./section.ts";

const KEYS = ["enabled", "model", "base_url", "api_key", "api_key_env", "echo_transcript"] as const;

/** The section `stt`: speech to text by any endpoint that is like OpenAI's. Undefined when it is off. */
export function readSpeechToText(node: Node | undefined, report: Report): SpeechToText | undefined {
  const section = openSection(node, KEYS, report);
  if (node === undefined || section === undefined) return undefined;
  const isOn = section.yes("enabled", false);
  const baseUrl = section.read(
    "base_url",
    (value) => readWebAddress(value, report, "what people say"),
    STT_DEFAULTS.baseUrl,
  );
  const key = readKey(section, report) ?? usualKey(baseUrl);
  const model = section.text("model") ?? STT_DEFAULTS.model;
  const echo = section.yes("echo_transcript", STT_DEFAULTS.echo);
  if (!isOn) return undefined;
  const hasKey = section.fields.has("api_key") || section.fields.has("api_key_env");
  if (key === undefined && !hasKey && !isHere(baseUrl)) {
    return missing(node, "api_key", "the key for the address in base_url, or api_key_env", report);
  }
  return { model, baseUrl, key, echo };
}

/** No message shows it. */
function readKey(
  section: Section<typeof KEYS[number]>,
  report: Report,
): SpeechToText["key"] {
  const [text, variable] = [section.at("api_key"), section.at("api_key_env")];
  if (text !== undefined && variable !== undefined) {
    return report.mistake(
      variable,
      'Cannot use "api_key_env" beside "api_key": one of them is enough',
      "Keep one of them",
    );
  }
  if (text !== undefined) {
    return text.kind === "scalar" && /^[\x21-\x7e]{1,500}$/.test(text.text)
      ? { text: text.text }
      : report.mistake(text, `Cannot read ${text.path}: expected a key, which is not shown here`);
  }
  const name = variable === undefined ? undefined : readText(variable, report);
  if (variable === undefined || name === undefined) return undefined;
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name)
    ? { env: name }
    : report.mistake(variable, `Cannot read ${variable.path}: expected the name of a variable`);
}

/** A key is never sent to an address that it was not made for. */
function usualKey(baseUrl: string): SpeechToText["key"] {
  return hostOf(baseUrl) === hostOf(STT_DEFAULTS.baseUrl)
    ? { env: STT_DEFAULTS.keyEnv }
    : undefined;
}

function isHere(baseUrl: string): boolean {
  return /^(localhost|\[::1\]|127(\.\d+){3})$/.test(hostOf(baseUrl));
}

function hostOf(address: string): string {
  return URL.canParse(address) ? new URL(address).hostname : "";
}
