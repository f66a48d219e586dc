import type { Ask, Tell } from "./ask.ts";
import { readMessage } from "./read-message.ts";
import type { DiscordRest } from "./rest.ts";
import { route } from "./route.ts";
import { writeAnswer, writeMessage } from "./write-message.ts";

type InteractionCalls = Pick<DiscordRest, "respond" | "editResponse" | "followUp">;

const ALREADY_ANSWERED = 40060;
/** Discord forgets an interaction that has no answer after three seconds. */
const ANSWER_WITHIN_MS = 3_000;

/** Answers to slash commands and buttons. The token is in the route, and in nothing that is told. */
export function interactionCalls(ask: Ask, tell: Tell): InteractionCalls {
  return {
    respond: ({ id, token }, answer) =>
      tell({
        method: "POST",
        route: route`/interactions/${id}/${token}/callback`,
        action: `answer interaction "${id}"`,
        written: writeAnswer(answer),
        harmless: true,
        doneBefore: [ALREADY_ANSWERED],
        within: ANSWER_WITHIN_MS,
        secret: encodeURIComponent(token),
      }),
    editResponse: (application, token, message) =>
      ask({
        method: "PATCH",
        route: route`/webhooks/${application}/${token}/messages/@original`,
        action: "change the answer to an interaction",
        written: writeMessage(message, "edit"),
        harmless: true,
        secret: encodeURIComponent(token),
      }, readMessage),
    followUp: (application, token, message) =>
      ask({
        method: "POST",
        route: route`/webhooks/${application}/${token}?wait=true`,
        action: "add to the answer to an interaction",
        written: writeMessage(message, "answer"),
        // Webhooks know no nonce.
        harmless: false,
        secret: encodeURIComponent(token),
      }, readMessage),
  };
}
