/**
 * What Discord takes, in characters (https://discord.com/developers/docs/resources/message). It
 * counts code points; here UTF-16 units are counted, which are never fewer.
 */
export const LIMITS = {
  content: 2_000,
  embeds: 10,
  embedTitle: 256,
  embedDescription: 4_096,
  embedFields: 25,
  fieldName: 256,
  fieldValue: 1_024,
  footer: 2_048,
  /** Title, description, fields and footer of all embeds of a message. */
  embedTotal: 6_000,
  rows: 5,
  buttonsInRow: 5,
  buttonLabel: 80,
  buttonId: 100,
  menuChoices: 25,
  /** Label, value and description of a choice, each. */
  menuText: 100,
  menuPlaceholder: 150,
  nonce: 25,
  files: 10,
  /** Of one message without a boosted server, bytes. */
  fileBytes: 10 * 1024 * 1024,
  choices: 25,
  choiceName: 100,
  threadName: 100,
} as const;
