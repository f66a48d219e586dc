import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import type { Said } from "../../lib/chat/agent-session.ts";
import type { BotRules } from "../../lib/chat/broker-config.ts";
import { PERMISSION_DEFAULTS, RULE_DEFAULTS } from "../../lib/chat/broker-defaults.ts";
import type { ChatHappening } from "../../lib/chat/chat-event.ts";
import { createReminders, type Reminders } from "../../lib/chat/create-reminders.ts";
import { createWaits, type Waits } from "../../lib/chat/create-waits.ts";
import { createPermissions, type Permissions } from "../../lib/chat/permissions.ts";
import { threadTitle } from "../../lib/chat/thread-title.ts";
import {
  type BrokerInteractions,
  createBrokerInteractions,
} from "../../lib/discord/broker-interactions.ts";
import { encodeButton } from "../../lib/discord/button-id.ts";
import type { Interaction, OptionValue } from "../../lib/discord/gateway-event.ts";
import type { Member, Outgoing } from "../../lib/discord/message.ts";
import { PERMISSION } from "../../lib/discord/permissions.ts";
import { createReminderTeller } from "../../lib/discord/reminder-teller.ts";
import type { DiscordRest, FirstAnswer } from "../../lib/discord/rest.ts";
import { brokenLimit } from "./broken-limit.ts";
import { type ChatScene, chatScene } from "./chat-scene.ts";
import { BOT, channel, GUILD, type MemoryDiscord, memoryDiscord } from "./discord-rest.ts";

export const ALICE = "7";
export const BOB = "8";
export const EVE = "66";
export const THREAD = "200";
export const MARK = "abc123";

export interface Asked {
  user?: string;
  roles?: string[];
  /** A thread's parent is 100. */
  channelId?: string;
  isDirect?: boolean;
  id?: string;
}

/** A bot's commands and buttons over a broker whose agents do as the test says. */
export interface BrokerDeskScene extends ChatScene {
  discord: MemoryDiscord;
  permissions: Permissions;
  reminders: Reminders;
  waits: Waits;
  interactions: BrokerInteractions;
  audit: { event: string; fields: Readonly<Record<string, unknown>> }[];
  answers: FirstAnswer[];
  /** What took the place of a first answer. */
  edits: Outgoing[];
  said: Said[];
  rules: BotRules;
  approvers: { list: readonly string[] | undefined };
  rest(): Promise<void>;
  command(name: string, options?: Record<string, OptionValue>, asked?: Asked): Promise<Outgoing>;
  press(
    action: string,
    args: readonly string[],
    more?: Asked & { values?: string[]; at?: number; messageId?: string },
  ): Promise<FirstAnswer>;
  /** Presses what a message offers, by its label or its id. */
  pressOn(message: Outgoing, label: string, asked?: Asked): Promise<FirstAnswer>;
  complete(typed: string, asked?: Asked): Promise<readonly { name: string; value: unknown }[]>;
  tell(interaction: Interaction): Promise<FirstAnswer>;
}

export function brokerDeskScene(
  t: TestContext,
  { journal = [], limit = 10, isSteered = false, over }: {
    journal?: readonly ChatHappening[];
    limit?: number;
    /** Agents hear what is said into their turns. */
    isSteered?: boolean;
    /** Another Discord than the one in memory. */
    over?: DiscordRest;
  } = {},
): BrokerDeskScene {
  const scene = chatScene(t, { journal: [...journal], limit, isSteered });
  const discord = memoryDiscord();
  for (const id of ["100", THREAD, "201"]) discord.channels.set(id, channel(id, "lab"));
  const everyone = {
    id: GUILD,
    name: "@everyone",
    permissions: PERMISSION.VIEW_CHANNEL | PERMISSION.READ_MESSAGE_HISTORY,
    managed: false,
  };
  discord.rest.guild = (id) =>
    Promise.resolve({ id, name: "lab", ownerId: "2", roles: [{ ...everyone, id }] });
  const answers: FirstAnswer[] = [];
  const edits: Outgoing[] = [];
  discord.rest.respond = (_, answer) => {
    if ("message" in answer) {
      const isEmpty = answer.kind === "update" && answer.message.content === undefined;
      if (!isEmpty) assert.equal(brokenLimit(answer.message), undefined);
    }
    answers.push(answer);
    return Promise.resolve();
  };
  discord.rest.editResponse = (_, _token, message) => {
    assert.equal(brokenLimit(message), undefined);
    edits.push(message);
    return Promise.resolve({
      ...discord.say(THREAD, message.content ?? ""),
      at: scene.clock.now(),
    });
  };
  const audit: BrokerDeskScene["audit"] = [];
  const said: Said[] = [];
  const rules: BotRules = {
    ...RULE_DEFAULTS,
    channels: ["100"],
    users: [ALICE, BOB],
    directMessages: true,
  };
  const approvers: BrokerDeskScene["approvers"] = { list: undefined };
  const permissions = createPermissions({
    rules: () => PERMISSION_DEFAULTS,
    clock: scene.clock,
    onAsk: scene.broker.asking,
    granted: (id) => scene.state().conversations.get(id)?.grants ?? [],
    grant: (conversation, grant) =>
      void scene.append([{ type: "permission-granted", conversation, grant }], grant.by),
    audit: (event, fields) => void audit.push({ event, fields }),
  });
  const teller = createReminderTeller({
    rest: discord.rest,
    mark: () => MARK,
    me: () => BOT,
    now: () => scene.clock.now(),
  });
  const reminders = createReminders({
    state: scene.state,
    append: scene.append,
    clock: scene.clock,
    tell: teller,
    log() {},
  });
  t.after(() => reminders[Symbol.asyncDispose]());
  const waits = createWaits({
    ...scene,
    post: () => Promise.resolve(undefined),
    watch: { happened: () => undefined, isWatched: () => true },
    rules: () => rules,
    me: () => BOT,
    audit: (event, fields) => void audit.push({ event, fields }),
    log() {},
  });
  const interactions = createBrokerInteractions({
    broker: scene.broker,
    permissions,
    reminders,
    waits,
    state: scene.state,
    rules: () => rules,
    approvers: () => approvers.list,
    agentOf: () => "/opt/bin/kiro-cli",
    hasAgent: (id) => scene.sessions.find(id) !== undefined,
    titleOf: ({ first }) => threadTitle(first, BOT, []),
    transcript: () => Promise.resolve(said),
    mark: () => MARK,
    rest: over ?? discord.rest,
    clock: scene.clock,
    audit: (event, fields) => void audit.push({ event, fields }),
    log() {},
  });
  let next = 5_000;

  function base({ user = ALICE, roles = [], channelId = THREAD, isDirect = false, id }: Asked) {
    const member: Member = { userId: user, name: `user${user}`, roles, permissions: undefined };
    return {
      id: id ?? `${next++}`,
      token: "secret-token",
      applicationId: BOT,
      guildId: isDirect ? undefined : "1",
      channelId,
      parentId: isDirect || channelId === "100" || channelId === "101" ? undefined : "100",
      member,
      at: scene.clock.now(),
    };
  }

  async function rest(): Promise<void> {
    for (let i = 0; i < 25; i++) await new Promise((done) => setImmediate(done));
  }

  async function tell(interaction: Interaction): Promise<FirstAnswer> {
    const before = answers.length;
    assert.equal(interactions.handle(interaction), true);
    await rest();
    assert.equal(answers.length, before + 1, "one first answer");
    return answers.at(-1)!;
  }

  const self: BrokerDeskScene = {
    ...scene,
    discord,
    permissions,
    reminders,
    waits,
    interactions,
    audit,
    answers,
    edits,
    said,
    rules,
    approvers,
    rest,
    tell,
    async command(name, options = {}, asked = {}) {
      const [top, sub] = name.split(" ");
      const answer = await tell({
        kind: "command",
        name: top!,
        ...(sub === undefined ? {} : { sub }),
        options,
        ...base(asked),
      });
      if (answer.kind === "defer") return edits.at(-1)!;
      assert.equal(answer.kind, "message");
      return (answer as Extract<FirstAnswer, { kind: "message" }>).message;
    },
    press(action, args, { values, at, messageId, ...asked } = {}) {
      const message = discord.say(asked.channelId ?? THREAD, "below it", {
        at: at ?? scene.clock.now(),
        ...(messageId === undefined ? {} : { id: messageId }),
      });
      const button = encodeButton({ action, sweep: MARK, args })!;
      const more = values === undefined ? {} : { values };
      return tell({ kind: "button", button, ...more, message, ...base(asked) });
    },
    pressOn(outgoing, label, asked = {}) {
      const ids = [
        ...outgoing.rows?.flat().filter((one) => one.label === label).map(({ id }) => id) ?? [],
      ];
      assert.equal(ids.length, 1, `buttons "${label}" in ${JSON.stringify(outgoing)}`);
      const { content = "" } = outgoing;
      const message = discord.say(asked.channelId ?? THREAD, content, { at: scene.clock.now() });
      return tell({ kind: "button", button: ids[0]!, message, ...base(asked) });
    },
    async complete(typed, asked = {}) {
      const answer = await tell({
        kind: "completion",
        name: "session",
        sub: "attach",
        options: {},
        focused: { name: "from", value: typed },
        ...base(asked),
      });
      return (answer as Extract<FirstAnswer, { kind: "choices" }>).choices;
    },
  };
  return self;
}
