/**
 * Canonical JSON (RFC 8785) of what devices sign.
 *
 * JSON.stringify writes strings and numbers as the RFC asks (it is defined by ECMAScript's own rules); what is left is the
 * order of members, by UTF-16 code units, which is how `sort` compares.
 */

export function canonical(value: unknown): string {
  if (value === null || typeof value !== "object") {
    if (typeof value === "number" && !Number.isFinite(value)) throw new RangeError("no number of JSON");
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  const object = value as Record<string, unknown>;
  const members = Object.keys(object)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${canonical(object[name])}`);
  return `{${members.join(",")}}`;
}
