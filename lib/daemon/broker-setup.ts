import { UserError } from "../base/errors.ts";
import { brokerSection } from "../chat/broker-section.ts";
import { brokerInviteUrl } from "../discord/broker-rights.ts";
import { type BotSurvey, channelsOfBot, surveyBot } from "../discord/survey-bot.ts";
import type { PlainMapping } from "../sweep/yaml-text.ts";
import { type ConfigSection, openConfigSection } from "./config-section.ts";
import {
  type BotFacts,
  type DiscordAsked,
  explained,
  introduceBot,
  withDiscord,
} from "./introduce-bot.ts";
import { engineParts, type EngineWish } from "./pool-engine.ts";

export interface BrokerSetupWish {
  bot: BotFacts;
  /** Never print it. */
  token: string;
  /** How the file has it. */
  kept: { env: string } | { text: string };
  guildId: string;
  /** Names or ids. */
  channels: readonly string[] | "all";
  /** Ids of users and roles. */
  people: readonly string[] | "all";
  engine: EngineWish;
  sandbox: EngineWish["sandbox"];
  usdPerDay: number | undefined;
}

export interface BrokerSetupPlan {
  survey: BotSurvey;
  /** The section without secrets, for people. */
  shown: string;
  notices: readonly string[];
  /** The whole file; never print it. */
  file: string;
}

/** What `herd broker setup` does beside asking: it looks at Discord, and writes the file. */
export interface BrokerSetup extends Pick<ConfigSection, "path" | "begin"> {
  introduce(token: string): Promise<BotFacts>;
  /** The channels of a server in which the bot could be. */
  channels(
    wish: Pick<BrokerSetupWish, "token" | "guildId" | "bot">,
  ): Promise<readonly { id: string; name: string }[]>;
  /** Changes nothing. Throws UserError with everything that keeps it from working. */
  prepare(wish: BrokerSetupWish): Promise<BrokerSetupPlan>;
  /** Returns where the former file is kept, when it had such a section. */
  carryOut(plan: BrokerSetupPlan): string | undefined;
}

export function openBrokerSetup(asked: DiscordAsked): BrokerSetup {
  const { env, signal } = asked;
  const section = openConfigSection("broker", env);
  return {
    path: section.path,
    begin: section.begin,
    introduce: (token) => introduceConversing(token, asked),
    channels: ({ token, guildId, bot }) =>
      explained(() =>
        withDiscord(token, asked, (rest) => channelsOfBot(rest, { guildId, me: bot.id }, signal))
      ),
    async prepare(wish) {
      const { token, guildId, channels, people, bot } = wish;
      const { applicationId, id: me } = bot;
      const survey = await explained(() =>
        withDiscord(
          token,
          asked,
          (rest) => surveyBot(rest, { guildId, applicationId, me, channels, people }, signal),
        )
      );
      if (survey.problems.length > 0) {
        const [first = "", ...more] = survey.problems;
        if (more.length === 0) throw new UserError(first);
        throw new UserError(`Cannot set up the broker: ${more.length + 1} things are wrong`, {
          mistakes: survey.problems.map((message) => ({ message })),
        });
      }
      const { section: tree, notes } = brokerSection({
        ...survey,
        ...agentOf(wish.engine),
        token: wish.kept,
        sandbox: wish.sandbox,
        usdPerDay: wish.usdPerDay,
      });
      const { file, shown, notices } = section.compose(tree, notes);
      return { survey, file, shown, notices: [...survey.notices, ...notices] };
    },
    carryOut: ({ file }) => section.write(file),
  };
}

/** With the link that gives no more rights than a bot needs that converses. */
export async function introduceConversing(token: string, asked: DiscordAsked): Promise<BotFacts> {
  const facts = await introduceBot(token, asked);
  return { ...facts, invite: brokerInviteUrl(facts.applicationId) };
}

/** As `pool.backends` and `pool.models` would have it; of the models the first. */
function agentOf(
  engine: EngineWish,
): { agent: { name: string; settings: PlainMapping }; model: string | undefined } {
  const { backends, models } = engineParts(engine) as {
    backends: Record<string, PlainMapping>;
    models: Record<string, { model?: string }>;
  };
  const [[name, settings]] = Object.entries(backends) as [[string, PlainMapping]];
  const { model } = models["primary"] ?? Object.values(models)[0] ?? {};
  return { agent: { name, settings }, model };
}
