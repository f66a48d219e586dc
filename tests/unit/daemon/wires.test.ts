import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { createSystemClock } from "../../../lib/base/clock.ts";
import { createWires, type Wire, type WireParty } from "../../../lib/daemon/wires.ts";
import type { CommandDefinition } from "../../../lib/discord/command-definition.ts";
import type { GatewayEvent, Interaction } from "../../../lib/discord/gateway-event.ts";
import { startDiscord } from "../../support/discord/start-discord.ts";

interface Told extends WireParty {
  events: GatewayEvent["type"][];
  asked: string[];
  refused: string[];
}

async function scene(t: TestContext) {
  const discord = await startDiscord();
  const stop = new AbortController();
  const lost: string[] = [];
  const wires = createWires({
    clock: createSystemClock(),
    log: { path: undefined, write() {} },
    random: () => 0,
    signal: stop.signal,
    onLost: (_, interaction) => lost.push(nameOf(interaction)),
  });
  const leaving: (() => Promise<void>)[] = [];
  t.after(async () => {
    stop.abort();
    for (const leave of leaving) await leave();
    await discord[Symbol.asyncDispose]();
  });
  const of = (token = discord.token) => wires.of(token, { DISCORD_API_URL: discord.url });
  function join(wire: Wire, one: Told) {
    const leave = wire.join(one);
    leaving.push(leave);
    return leave;
  }
  const names = () => JSON.stringify(discord.commands.get(discord.guild.id) ?? []);
  return { discord, wires, of, join, lost, names };
}

function command(name: string): CommandDefinition {
  return { name, description: name, options: [] };
}

function nameOf(one: Interaction): string {
  return one.kind === "button" ? one.button : one.name;
}

function party(rank: WireParty["rank"], takes: readonly string[], more: Partial<Told> = {}): Told {
  const told: Told = {
    ...{ rank, guildId: undefined, events: [], asked: [], refused: [] },
    commands: () => [command(rank), command("shared")],
    onEvent: ({ type }) => void told.events.push(type),
    onInteraction(interaction) {
      told.asked.push(nameOf(interaction));
      return takes.includes(nameOf(interaction));
    },
    onCommandsRefused: (_, why) => void told.refused.push(why),
    ...more,
  };
  return told;
}

test("one connection for one token; whoever comes later hears that it is there, the last one hangs up", async (t) => {
  const { discord, of, join, wires } = await scene(t);
  const first = party("sweep", []);
  const leaveFirst = join(of(), first);
  await discord.until("connected", () => first.events.includes("guild-here"), 10_000);
  const second = party("bot", []);
  const leaveSecond = join(of(), second);
  assert.deepEqual(second.events, ["ready"]);
  assert.equal(of(), of());
  assert.equal(discord.gateway.counts.identified, 1);
  await leaveFirst();
  assert.equal(wires.all().length, 1);
  await leaveSecond();
  assert.deepEqual(wires.all(), []);
  await discord.until("hung up", () => !discord.gateway.isConnected(discord.bot.id), 10_000);
});

test("all parties' commands are one set; one that goes for good takes its own along, one that ends does not", async (t) => {
  const { discord, of, join, names } = await scene(t);
  join(of(), party("sweep", []));
  const leaveBot = join(of(), party("bot", []));
  await discord.until("both", () => /"sweep"/.test(names()) && /"bot"/.test(names()), 10_000);
  assert.equal(names().match(/"shared"/g)!.length / names().match(/"bot"/g)!.length, 1);
  await leaveBot("forGood");
  await discord.until("its own are gone", () => !/"bot"/.test(names()), 10_000);
  assert.match(names(), /"sweep"/);
});

test("an interaction is the claimer's, else the pool's, the sweep's, the bot's; what nobody takes is told", async (t) => {
  const { discord, of, join, lost, names } = await scene(t);
  const pool = party("pool", ["pool"]);
  const claiming = party("sweep", [], { claims: ({ channelId }) => channelId === lab.id });
  const bot = party("bot", ["shared", "bot"]);
  const lab = discord.makeChannel("lab");
  const other = discord.makeChannel("other");
  const alice = discord.person("alice");
  for (const one of [bot, claiming, pool]) join(of(), one);
  await discord.until("registered", () => /"pool"/.test(names()) && /"bot"/.test(names()), 10_000);
  const give = (name: string, channel = other) =>
    void discord.slash(alice, channel, name).catch(() => {});
  give("shared");
  await discord.until("the bot has it", () => bot.asked.length === 1, 10_000);
  assert.deepEqual([pool.asked, claiming.asked], [["shared"], ["shared"]]);
  give("pool");
  await discord.until("the pool has it", () => pool.asked.length === 2, 10_000);
  assert.equal(bot.asked.length, 1);
  give("bot", lab);
  await discord.until("the claimer is asked first", () => claiming.asked.length >= 2, 10_000);
  give("sweep");
  await discord.until("nobody took it", () => lost.length === 1, 10_000);
  assert.deepEqual(lost, ["sweep"]);
});

test("commands that Discord refuses are told to whoever wanted them", async (t) => {
  const { discord, of, join } = await scene(t);
  discord.fault = ({ path, method }) =>
    method === "PUT" && path.includes("/guilds/")
      ? { kind: "status", status: 403, when: "before" }
      : undefined;
  const one = party("bot", []);
  join(of(), one);
  await discord.until("it is told", () => one.refused.length > 0, 10_000);
});
