import type { Station } from "./station.ts";

interface Sample {
  labels?: Readonly<Record<string, string>>;
  value: number;
}

/** The daemon's counters and its sweeps' totals in Prometheus' text format. */
export function prometheusText(station: Station): string {
  const facts = station.metrics();
  const desks = station.desks().map((desk) => ({
    sweep: desk.id,
    info: desk.info(),
    totals: desk.status({ limit: 1 }).totals,
  }));
  const one = (value: number): Sample[] => [{ value }];
  const calls = Object.entries(facts.schedulerCalls)
    .map(([program, value]) => ({ labels: { program }, value }));
  const tokens = Object.entries(facts.tokens).map(([kind, value]) => ({ labels: { kind }, value }));
  const trials = desks.flatMap(({ sweep, totals }) =>
    Object.entries(totals).filter(([status]) => status !== "total")
      .map(([status, value]) => ({ labels: { sweep, status }, value }))
  );
  const each = (value: (desk: typeof desks[number]) => number) =>
    desks.map((desk) => ({ labels: { sweep: desk.sweep }, value: value(desk) }));
  return [
    family("herd_info", "gauge", "1, with the version as a label", [
      { labels: { version: station.version }, value: 1 },
    ]),
    family("herd_uptime_seconds", "gauge", "Seconds since the start", one(facts.uptimeSeconds)),
    family("herd_resident_bytes", "gauge", "Resident memory", one(facts.residentBytes)),
    family("herd_looks_total", "counter", "Looks at the cluster", one(facts.looks)),
    family("herd_scheduler_calls_total", "counter", "Programs run to ask or tell", calls),
    family("herd_ticks_total", "counter", "Ticks of all sweeps", one(facts.ticks)),
    family("herd_model_calls_total", "counter", "Calls to a model", one(facts.modelCalls)),
    family("herd_model_tokens_total", "counter", "Tokens by kind", tokens),
    family("herd_model_usd_total", "counter", "US dollars since the start", one(facts.usd)),
    family(
      "herd_journal_appends_total",
      "counter",
      "Writes to journals",
      one(facts.journalAppends),
    ),
    family("herd_trials", "gauge", "Trials by status", trials),
    family(
      "herd_sweep_usd",
      "gauge",
      "US dollars in the sweep's life",
      each((d) => d.info.spent.usd),
    ),
    family(
      "herd_sweep_halted",
      "gauge",
      "1 while halted",
      each((d) => d.info.halted === null ? 0 : 1),
    ),
    family(
      "herd_sweep_pending_messages",
      "gauge",
      "Messages that wait for an answer",
      each((d) => d.info.pendingMessages),
    ),
  ].join("");
}

function family(name: string, type: string, help: string, samples: readonly Sample[]): string {
  if (samples.length === 0) return "";
  const lines = samples.map(({ labels = {}, value }) => `${name}${labelText(labels)} ${value}`);
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines, ""].join("\n");
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
