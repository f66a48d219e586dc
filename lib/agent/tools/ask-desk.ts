import type { Outcome, Request } from "../../actions/desk.ts";
import { RefusedError } from "../../base/errors.ts";
import { cleanLine } from "../quote-data.ts";
import type { Kit } from "./kit.ts";
import { jsonLine } from "./page-rows.ts";

const FACTS = 1_500;

/**
 * The one door through which tools do anything. Gives the outcome in words;
 * throws RefusedError where it was not done.
 */
export async function askDesk({ desk, by, quote }: Kit, request: Request): Promise<string> {
  const outcome = await desk.act(request, by);
  if (!outcome.done) throw new RefusedError(refusalText(outcome), { facts: outcome.facts });
  const { text, data, warnings } = outcome;
  const lines = [`Done: ${cleanLine(text, 600)}`];
  const facts = jsonLine({ ...data, ...(warnings.length === 0 ? {} : { warnings }) });
  if (facts !== "{}") lines.push(quote(facts, { source: "facts of it", limit: FACTS }));
  return lines.join("\n");
}

/** What the model is told when the answer is no, or not without a person. */
function refusalText(refusal: Exclude<Outcome, { done: true }>): string {
  const reason = cleanLine(refusal.reason, 600).replace(/\.$/, "");
  const confirmation = refusal.facts["confirmation"];
  if (confirmation !== undefined) {
    return `Not done: ${reason}. A person was asked and decides; herd carries it out when they ` +
      "say yes. Do not ask for it again, and do not reach the same end by other tools, in parts " +
      "or under another name";
  }
  const hint = refusal.hint === undefined ? "" : `. ${cleanLine(refusal.hint, 300)}`;
  return `Refused: ${reason}${hint}`;
}
