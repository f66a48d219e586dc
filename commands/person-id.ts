/** The id of a user or a role, from digits or from a mention that was copied. */
export function personId(text: string): string | undefined {
  return /^(?:<@[!&]?)?(\d{1,20})>?$/.exec(text.trim())?.[1];
}
