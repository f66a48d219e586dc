import type { Button, Embed, Form, Menu, Outgoing, OutgoingFile } from "./message.ts";
import type { FirstAnswer } from "./rest.ts";

/** What goes over the wire: JSON, and files beside it. */
export interface Written {
  body: Readonly<Record<string, unknown>> | readonly unknown[];
  files: readonly OutgoingFile[];
}

/** `post`: a message of a channel; `edit`: it changes what it names; `answer`: to an interaction. */
export type Purpose = "post" | "edit" | "answer";

const EPHEMERAL = 64;
const SILENT = 4096;

const ROW = 1;
const BUTTON = 2;
const STRING_SELECT = 3;
const TEXT_INPUT = 4;
const ONE_LINE = 1;
const STYLES = { primary: 1, secondary: 2, success: 3, danger: 4 } as const;

/** Types of an interaction's first answer. */
const ANSWERS = { message: 4, defer: 5, deferUpdate: 6, update: 7, choices: 8, form: 9 } as const;

/**
 * A message in Discord's JSON. Nobody is pinged but those whom `pings` names:
 * without `allowed_mentions` Discord pings whomever the text mentions, and
 * `replied_user` would ping by the answer alone.
 */
export function writeMessage(message: Outgoing, purpose: Purpose): Written {
  const files = message.files ?? [];
  const posted = purpose !== "edit";
  const flags = (posted && message.ephemeral ? EPHEMERAL : 0) |
    (posted && message.silent ? SILENT : 0);
  return {
    files,
    body: {
      ...(message.content === undefined ? {} : { content: message.content }),
      ...(message.embeds === undefined ? {} : { embeds: message.embeds.map(writeEmbed) }),
      ...(message.rows === undefined && message.menus === undefined
        ? {}
        : { components: [...(message.menus ?? []).map(writeMenu), ...writeRows(message.rows)] }),
      // An edit that names its files loses the ones that the message had; without, they stay.
      ...(files.length === 0
        ? {}
        : { attachments: files.map(({ name }, at) => ({ id: String(at), filename: name })) }),
      allowed_mentions: writePings(message),
      ...(flags === 0 ? {} : { flags }),
      ...(purpose === "post" && message.nonce !== undefined
        ? { nonce: message.nonce, enforce_nonce: true }
        : {}),
      ...(purpose === "post" && message.replyTo !== undefined
        // The message may have been deleted since: then it is no answer, but still said.
        ? { message_reference: { message_id: message.replyTo, fail_if_not_exists: false } }
        : {}),
    },
  };
}

/** The first answer to an interaction. */
export function writeAnswer(answer: FirstAnswer): Written {
  const plain = (type: number, data?: unknown): Written => ({
    body: data === undefined ? { type } : { type, data },
    files: [],
  });
  switch (answer.kind) {
    case "message": {
      const { body, files } = writeMessage(answer.message, "answer");
      return { body: { type: ANSWERS.message, data: body }, files };
    }
    case "update": {
      const { body, files } = writeMessage(answer.message, "edit");
      return { body: { type: ANSWERS.update, data: body }, files };
    }
    case "defer":
      return plain(ANSWERS.defer, answer.ephemeral ? { flags: EPHEMERAL } : undefined);
    case "defer-update":
      return plain(ANSWERS.deferUpdate);
    case "choices":
      return plain(ANSWERS.choices, { choices: answer.choices });
    case "form":
      return plain(ANSWERS.form, writeForm(answer.form));
  }
}

function writeForm({ id, title, field }: Form): Readonly<Record<string, unknown>> {
  const input = {
    ...{ type: TEXT_INPUT, custom_id: field.id, style: ONE_LINE, label: field.label },
    ...{ min_length: 1, max_length: field.most, required: true },
  };
  return { custom_id: id, title, components: [{ type: ROW, components: [input] }] };
}

function writePings({ pings, replyTo }: Outgoing): Readonly<Record<string, unknown>> {
  const users = pings?.users ?? [];
  return {
    parse: [],
    ...(users.length === 0 ? {} : { users }),
    ...(replyTo === undefined ? {} : { replied_user: false }),
  };
}

function writeRows(rows: readonly (readonly Button[])[] = []): readonly unknown[] {
  return rows.filter((row) => row.length > 0)
    .map((row) => ({ type: ROW, components: row.map(writeButton) }));
}

function writeMenu({ id, placeholder, choices }: Menu): unknown {
  const options = choices.map(({ value, label, description, chosen }) => ({
    label,
    value,
    ...(description === undefined ? {} : { description }),
    ...(chosen === true ? { default: true } : {}),
  }));
  const select = { type: STRING_SELECT, custom_id: id, placeholder, options };
  return { type: ROW, components: [select] };
}

function writeButton({ id, label, style, emoji, disabled }: Button): unknown {
  return {
    type: BUTTON,
    style: STYLES[style],
    custom_id: id,
    ...(label === "" ? {} : { label }),
    ...(emoji === undefined ? {} : { emoji: { name: emoji } }),
    ...(disabled === true ? { disabled } : {}),
  };
}

function writeEmbed({ title, description, color, fields, footer, image }: Embed): unknown {
  return {
    ...(title === undefined ? {} : { title }),
    ...(description === undefined ? {} : { description }),
    ...(color === undefined ? {} : { color }),
    ...(fields === undefined ? {} : { fields }),
    ...(footer === undefined ? {} : { footer: { text: footer } }),
    ...(image === undefined ? {} : { image: { url: image } }),
  };
}
