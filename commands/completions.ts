import type { OptionSpec } from "../lib/base/arguments.ts";
import { UserError } from "../lib/base/errors.ts";
import { nearest, shellQuote } from "../lib/base/text.ts";
import { type Command, defineCommand, STANDARD_OPTIONS } from "./command.ts";

const SHELLS = { bash: bashScript, zsh: zshScript, fish: fishScript };

export const command = defineCommand({
  name: "completions",
  summary: "Print a completion script for bash, zsh or fish",
  arguments: [{ name: "SHELL", description: "bash, zsh or fish" }],
  examples: [
    { line: "source <(herd completions bash)", meaning: "In ~/.bashrc" },
    { line: "herd completions zsh > ~/.zfunc/_herd", meaning: "In a folder of zsh's fpath" },
    { line: "herd completions fish > ~/.config/fish/completions/herd.fish", meaning: "For fish" },
  ],
  async run({ positionals, out, json, table }) {
    const shell = positionals[0] ?? "";
    const commands = await Promise.all(
      table.filter((one) => !one.hidden).map(async ({ load }) => (await load()).command),
    );
    const script = completionScript(shell, commands);
    if (json) out.json({ shell, script });
    else out.write(script);
    return 0;
  },
});

/** The script for a shell; UserError for a shell that is not known. */
export function completionScript(shell: string, commands: readonly Command[]): string {
  if (Object.hasOwn(SHELLS, shell)) return SHELLS[shell as keyof typeof SHELLS](commands);
  const near = nearest(shell, Object.keys(SHELLS));
  throw new UserError(`Cannot complete for shell "${shell}": allowed are "bash", "zsh", "fish"`, {
    ...(near === undefined ? {} : { hint: `Did you mean "${near}"?` }),
  });
}

function optionsOf(one: Command): readonly OptionSpec[] {
  return [...(one.options ?? []), ...STANDARD_OPTIONS];
}

function namesOf(commands: readonly Command[]): string {
  return commands.map((one) => one.name).join(" ");
}

function bashScript(commands: readonly Command[]): string {
  const words = commands.map((one) =>
    `    ${one.name}) words=${
      shellQuote(optionsOf(one).map((option) => `--${option.name}`).join(" "))
    } ;;`
  );
  const choices = commands.flatMap((one) =>
    optionsOf(one).filter((option) => option.choices !== undefined).map((option) =>
      `    ${one.name}:--${option.name}) words=${shellQuote(option.choices!.join(" "))} ;;`
    )
  );
  return `# bash completion for herd: source <(herd completions bash)
_herd_hosts() {
  awk 'tolower($1) == "host" { for (i = 2; i <= NF; i++) if ($i !~ /[*?!]/) print $i }' \\
    ~/.ssh/config 2>/dev/null
}
_herd() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" words=""
  local at=1
  COMPREPLY=()
  if [[ "\${COMP_WORDS[1]}" == --host ]]; then
    # bash takes --host=NAME for three words.
    at=3
    if [[ "\${COMP_WORDS[2]-}" == = ]]; then at=4; fi
    if ((COMP_CWORD == at - 1)); then
      mapfile -t COMPREPLY < <(compgen -W "$(_herd_hosts)" -- "$current")
      return
    fi
  fi
  if ((COMP_CWORD == at)) || [[ "\${COMP_WORDS[at]}" == help ]]; then
    words=${shellQuote(namesOf(commands))}
    if ((at == 1)) && [[ "$current" == -* ]]; then words=--host; fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
    return
  fi
  if [[ "\${COMP_WORDS[at]}:$previous" =~ ^(tunnel:tunnel|hosts:(check|login)|.*:--host)$ ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$(_herd_hosts)" -- "$current")
    return
  fi
  case "\${COMP_WORDS[at]}:$previous" in
${[...choices, "    *) ;;"].join("\n")}
  esac
  if [[ -z "$words" && "$current" == -* ]]; then
    case "\${COMP_WORDS[at]}" in
${words.map((line) => `  ${line}`).join("\n")}
    esac
  fi
  # Nothing found: bash itself completes file names, for the workspace.
  if [[ -n "$words" ]]; then mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current"); fi
}
complete -o default -F _herd herd
`;
}

function zshScript(commands: readonly Command[]): string {
  const list = commands.map((one) =>
    `    ${shellQuote(`${zshEscape(one.name)}:${zshEscape(one.summary)}`)}`
  );
  const cases = commands.map((one) => {
    const options = optionsOf(one).flatMap(zshOption).map((text) =>
      ` \\\n        ${shellQuote(text)}`
    );
    const rest = one.name === "help"
      ? " \\\n        '*:command:_herd_commands'"
      : " \\\n        '*:workspace:_files'";
    return `      ${one.name})\n        _arguments${options.join("")}${rest}\n        ;;`;
  });
  return `#compdef herd
# zsh completion for herd
_herd_commands() {
  local -a commands=(
${list.join("\n")}
  )
  _describe command commands
}
_herd() {
  if [[ "$words[2]" == --host ]]; then
    if ((CURRENT == 3)); then
      _hosts
      return
    fi
    words=(herd "\${words[@]:3}")
    ((CURRENT -= 2))
  fi
  if ((CURRENT == 2)); then
    _herd_commands
    return
  fi
  local name="$words[2]"
  shift words
  ((CURRENT--))
  case "$name" in
${cases.join("\n")}
  esac
}
if [[ "$funcstack[1]" == _herd ]]; then _herd "$@"; else compdef _herd herd; fi
`;
}

function zshOption(option: OptionSpec): string[] {
  const repeat = option.repeatable ? "*" : "";
  const value = option.value === undefined || option.bare !== undefined
    ? ""
    : `:${zshEscape(option.value)}:${option.choices ? `(${option.choices.join(" ")})` : " "}`;
  const meaning = `[${zshEscape(option.description)}]${value}`;
  const long = `${repeat}--${option.name}${value === "" ? "" : "="}${meaning}`;
  return option.short === undefined ? [long] : [long, `${repeat}-${option.short}${meaning}`];
}

function zshEscape(text: string): string {
  return text.replace(/[\\:[\]]/g, "\\$&");
}

function fishScript(commands: readonly Command[]): string {
  const lines = [
    "# fish completion for herd",
    "complete -c herd -n __fish_use_subcommand -l host -x -a '(__fish_print_hostnames)' " +
    "-d 'Run the command on that computer, by ssh'",
  ];
  const none = `not __fish_seen_subcommand_from ${namesOf(commands)}`;
  for (const one of commands) {
    lines.push(
      `complete -c herd -f -n ${shellQuote(none)} -a ${one.name} -d ${fishQuote(one.summary)}`,
    );
    for (const option of optionsOf(one)) {
      const short = option.short === undefined ? "" : ` -s ${option.short}`;
      const choices = option.choices === undefined
        ? ""
        : ` -f -a ${fishQuote(option.choices.join(" "))}`;
      const value = option.value === undefined || option.bare !== undefined ? "" : ` -r${choices}`;
      lines.push(
        `complete -c herd -n '__fish_seen_subcommand_from ${one.name}' -l ${option.name}${short}${value} -d ${
          fishQuote(option.description)
        }`,
      );
    }
  }
  lines.push(
    `complete -c herd -f -n '__fish_seen_subcommand_from help' -a ${fishQuote(namesOf(commands))}`,
  );
  return `${lines.join("\n")}\n`;
}

function fishQuote(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}
