/** One thing that was looked at, and how it is. */
export interface Finding {
  /** Heading under which it is shown. */
  area: string;
  /** `good`: fine; `doubt`: works, but know this; `bad`: has to be mended. */
  mark: "good" | "doubt" | "bad";
  /** One sentence without a period. */
  message: string;
  /** What would mend it. */
  mend?: string;
}
