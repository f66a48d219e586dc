/** What the scheduler's word for waiting means to the one who waits; undefined for words that explain themselves. */
export function reasonText(reason: string): string | undefined {
  const known = REASONS.find(([pattern]) => pattern.test(reason));
  return known?.[1];
}

const REASONS: readonly (readonly [RegExp, string])[] = [
  [/^None$/, "the scheduler has not looked at it yet"],
  [/^Priority$/, "other jobs come first"],
  [/^Resources$/, "waiting for room on the nodes"],
  [/^JobArrayTaskLimit$/, "as many run at once as max_concurrent allows"],
  [/^Dependency$/, "waiting for an earlier job of this sweep to end"],
  [/^DependencyNeverSatisfied$/, "the job that it waits for failed: it will never start"],
  [/^BeginTime$/, "not to start before a set time, as after a requeue"],
  [/^JobHeld(Admin|User)$/, "held: `scontrol release` lets it go"],
  [/^ReqNodeNotAvail/, "the nodes that it needs are down, reserved or drained"],
  [/^Reserved/, "the nodes are reserved"],
  [/^Partition(Down|Inactive)$/, "the partition does not start jobs now"],
  [/^PartitionTimeLimit$/, "slurm.time is more than the partition allows: it will never start"],
  [/^PartitionNodeLimit$/, "it asks for more nodes than the partition allows"],
  [/^(QOS|Assoc).*(Limit|Max|Grp)/, "your group or you have used up what the site allows at once"],
  [/^Licenses$/, "waiting for a licence"],
  [/^SupervisorStarting$/, "herd's local supervisor is starting"],
  [/^BadConstraints$/, "no node has what it asks for: it will never start"],
  [/^InvalidQOS$|^InvalidAccount$/, "the account or QOS is not valid: it will never start"],
];
